// Programs in which a search, or the way polling and time are treated, once went wrong.
#include <cstdlib>
#include <memory>
#include <set>
#include <stdexcept>

#include <tutti/explore/gtest.h>
#include <tutti/tutti.h>

#include "explore/support.h"

namespace tests {

namespace {

using namespace tutti;
using explore::Options;
using explore::Result;

// The values that `body` returns, over all schedules.
template <typename Body>
std::set<int> seen_by(Body body, Options options = {}) {
  std::set<int> seen;
  const Result result = explore::check([&] { seen.insert(body()); }, options);
  EXPECT_TRUE(result) << result;
  EXPECT_TRUE(result.exhausted);
  return seen;
}

// One waits with a lock held, so that in the schedules cut short another stands at a shut gate.
TEST(Soundness, NoScheduleIsLostBehindAShutGate) {
  const Result result = explore::check(
      [] {
        threading::Lock lock;
        threading::Lock gate;
        tutti::atomic<int> x = 0;
        int turns = 0;
        gate.acquire();
        threading::Thread first([&] {
          {
            std::scoped_lock held(lock);
            ++turns;
          }
          std::scoped_lock held(lock);
          gate.acquire();
          gate.release();
        });
        threading::Thread second([&] {
          bool is_between;
          {
            std::scoped_lock held(lock);
            is_between = turns == 1;
          }
          x = is_between ? 1 : 0;
          x = 0;
        });
        first.start();
        second.start();
        const int seen = x;
        gate.release();
        first.join();
        second.join();
        explore::require(seen == 0, "the second came between the first one's turns");
      },
      quietly());
  EXPECT_FALSE(result);
}

TEST(Soundness, AThreadThatYieldsMayStillGoFirst) {
  EXPECT_EQ(seen_by([] {
              tutti::atomic<int> x = 0;
              int seen = 0;
              together(
                  [&] {
                    sleep(0);
                    x = 1;
                  },
                  [&] { seen = x; });
              return seen;
            }),
            (std::set{0, 1}));
}

TEST(Soundness, EqualDeadlinesComeInEitherOrder) {
  EXPECT_EQ(seen_by([] {
              tutti::atomic<int> x = 0;
              together(
                  [&] {
                    sleep(1);
                    x = 1;
                  },
                  [&] {
                    sleep(1);
                    x = 2;
                  });
              return x.load();
            }),
            (std::set{1, 2}));
}

TEST(Soundness, WhoWakesAtTheSameTimeMayRace) {
  const Result result = explore::check(
      [] {
        tutti::atomic<int> x = 0;
        const auto add = [&x] {
          sleep(1);
          x.store(x.load() + 1);
        };
        together(add, add);
        explore::require(x == 2, "an update was lost");
      },
      quietly());
  EXPECT_FALSE(result);
}

TEST(Soundness, ATimerMayRingOrBeCancelledInTheSameMoment) {
  EXPECT_EQ(seen_by([] {
              tutti::atomic<int> rings = 0;
              threading::Timer timer(1, [&] { rings = 1; });
              timer.start();
              sleep(1);
              timer.cancel();
              timer.join();
              return rings.load();
            }),
            (std::set{0, 1}));
}

class Destroyed : public threading::Thread {
 public:
  explicit Destroyed(tutti::atomic<int>& word) : word_(word) {}
  ~Destroyed() override { word_.store(1); }
  void run() override {}

 private:
  tutti::atomic<int>& word_;
};

TEST(Soundness, TheDestructorOfAThreadsObjectIsExplored) {
  EXPECT_EQ(seen_by([] {
              tutti::atomic<int> word = 0;
              threading::Thread handle;
              auto object = std::make_shared<Destroyed>(word);
              object->start();
              handle = *object;
              object.reset();
              const int seen = word;
              handle.join();
              return seen;
            }),
            (std::set{0, 1}));
}

TEST(Soundness, ASemaphoreServesWhoCameFirst) {
  EXPECT_EQ(seen_by([] {
              threading::Semaphore places(0);
              int first = 0;
              threading::Thread early([&] {
                places.acquire();
                first = 1;
              });
              early.start();
              sleep(0.1);
              threading::Thread late([&] {
                if (places.acquire(1.0)) first = 2;
              });
              late.start();
              sleep(0.1);
              places.release();
              early.join();
              late.join();
              return first;
            }),
            (std::set{1}));
}

// --- what is no failure --------------------------------------------------------------------------

TEST(Soundness, ADaemonMayGoOnForEver) {
  EXPECT_TRUE(explore::check([] {
    threading::Thread daemon({.target =
                                  [] {
                                    for (;;) sleep(1);
                                  },
                              .daemon = true});
    daemon.start();
    sleep(3.5);
  }));
}

template <typename Poll>
void expect_polling_ends(Poll poll, Options options = {}) {
  options.schedules = 300;
  const Result result = explore::check(
      [&poll] {
        tutti::atomic<bool> done = false;
        threading::Lock lock;
        threading::Condition changed;
        threading::Event event;
        together([&] { poll(done, lock, changed, event); },
                 [&] {
                   std::scoped_lock held(lock);
                   std::scoped_lock also(changed);
                   done = true;
                   event.set();
                 });
      },
      options);
  EXPECT_TRUE(result) << result;
}

TEST(Soundness, PollingUnderALockIsNoLivelock) {
  expect_polling_ends([](auto& done, auto& lock, auto&, auto&) {
    for (;;) {
      std::scoped_lock held(lock);
      if (done) break;
    }
  });
}

TEST(Soundness, PollingWithTimeOutsIsNoLivelock) {
  const auto poll = [](auto&, auto&, auto&, auto& event) {
    while (!event.wait(0.1)) {
    }
  };
  expect_polling_ends(poll);
  expect_polling_ends(poll, {.timeouts = explore::Timeouts::any_time});
}

TEST(Soundness, PollingThatCountsIsNoLivelock) {
  expect_polling_ends([](auto& done, auto&, auto&, auto&) {
    tutti::atomic<int> rounds = 0;
    while (!done) ++rounds;
  });
}

TEST(Soundness, AWaitThatIsOutOfTimeLetsOthersComeBetween) {
  expect_polling_ends([](auto& done, auto&, auto& changed, auto&) {
    std::scoped_lock held(changed);
    while (!done) changed.wait(0);
  });
}

TEST(Soundness, AnExcepthookOfTheBodyEndsWithItsSchedule) {
  int runs = 0;
  const Result result = explore::check(
      [&runs] {
        ++runs;
        threading::Thread thread([] { throw std::logic_error("oh"); });
        if (runs == 1) {
          threading::set_excepthook([](const threading::ExceptHookArgs&) {});
        }
        thread.start();
        thread.join();
      },
      quietly({.strategy = explore::Strategy::random, .schedules = 5, .shrink = false}));
  EXPECT_FALSE(result) << "the second schedule's exception goes to the explorer again";
  EXPECT_EQ(result.schedules, 2u);
}

TEST(Soundness, AFailureBeforeTheFirstStepCanBeReplayed) {
  const Result result =
      explore::check([] { explore::fail("at once"); }, quietly({.name = "at once"}));
  ASSERT_FALSE(result);
  setenv("TUTTI_REPLAY", result.failure->replay.c_str(), 1);
  EXPECT_FALSE(explore::check([] { explore::fail("at once"); }, quietly({.name = "at once"})));
  unsetenv("TUTTI_REPLAY");
}

TEST(Soundness, ObjectsThatAreGoneAreNotTakenForNewOnes) {
  EXPECT_TRUE(explore::check([] {
    auto first = std::make_unique<threading::Lock>();
    const auto address = reinterpret_cast<std::uintptr_t>(first.get());
    first.reset();
    const auto second = std::make_unique<threading::Lock>();
    explore::require(reinterpret_cast<std::uintptr_t>(second.get()) != address);
  }));
  struct alignas(64) Aligned {
    char bytes[64];
  };
  EXPECT_TRUE(explore::check([] {
    auto many = std::make_unique<Aligned[]>(2);
    const auto address = reinterpret_cast<std::uintptr_t>(many.get());
    many = nullptr;
    many = std::make_unique<Aligned[]>(2);
    explore::require(reinterpret_cast<std::uintptr_t>(many.get()) != address);
  }));
}

TEST(Soundness, AtomicsWaitAndNotify) {
  EXPECT_TRUE(explore::check([] {
    tutti::atomic<int> word = 0;
    together(
        [&] {
          word.wait(0);
          EXPECT_EQ(word, 1);
        },
        [&] {
          word = 1;
          word.notify_one();
        });
  }));
}

}  // namespace

}  // namespace tests
