// explore::check(): what it finds, what it counts, and what it says.
#include <cassert>
#include <set>
#include <stdexcept>
#include <string>

#include <tutti/explore/gtest.h>
#include <tutti/tutti.h>

#include "explore/support.h"

namespace tests {

namespace {

using namespace tutti;
using explore::FailureKind;
using explore::Options;
using explore::Result;

TEST(Check, PassesABodyWithoutThreadsInOneSchedule) {
  const Result result = explore::check([] {});
  EXPECT_TRUE(result);
  EXPECT_EQ(result.schedules, 1u);
  EXPECT_TRUE(result.exhausted);
}

TEST(Check, RunsBothOrdersOfTwoAccesses) {
  std::set<int> seen;
  const Result result = explore::check([&seen] {
    tutti::atomic<int> word = 0;
    together([&] { word = 1; }, [&] { word = 2; });
    seen.insert(word);
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.schedules, 2u);
  EXPECT_EQ(seen, (std::set<int>{1, 2}));
}

TEST(Check, RunsOneOrderOfAccessesThatDontMatterToEachOther) {
  const Result result = explore::check([] {
    tutti::atomic<int> one = 0;
    tutti::atomic<int> other = 0;
    together([&] { one = 1; }, [&] { other = 1; });
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.schedules, 1u);
}

TEST(Check, WatchesPointersAndEnumsToo) {
  enum class Colour { red, green };
  static int numbers[3] = {1, 2, 3};
  EXPECT_TRUE(explore::check([] {
    tutti::atomic<int*> at = numbers;
    tutti::atomic<Colour> colour = Colour::red;
    EXPECT_EQ(at.fetch_add(2), numbers);
    EXPECT_EQ(*--at, 2);
    EXPECT_EQ(*(at += 1), 3);
    EXPECT_EQ(colour.exchange(Colour::green), Colour::red);
    EXPECT_EQ(colour, Colour::green);
  }));
}

TEST(Check, FindsALostUpdate) {
  const auto body = [] {
    tutti::atomic<int> counter = 0;
    const auto increment = [&counter] { counter.store(counter.load() + 1); };
    together(increment, increment);
    explore::require(counter == 2, "an update was lost");
  };
  const Result result = explore::check(body, quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::assertion);
  EXPECT_NE(result.failure->message.find("an update was lost"), std::string::npos);
}

TEST(Check, FindsADataRaceThatDidNoHarm) {
  const auto body = [] {
    tutti::Shared<int> value = 0;
    together([&] { value = 7; }, [&] { value = 7; });
  };
  const Result result = explore::check(body, quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::race);
  EXPECT_NE(result.failure->message.find("check_test.cpp"), std::string::npos)
      << result.failure->message;
  EXPECT_TRUE(explore::check(body, quietly({.races = false})));
}

TEST(Check, TakesLocksEventsAndJoinsAsOrder) {
  EXPECT_TRUE(explore::check([] {
    threading::Lock lock;
    threading::Event ready;
    tutti::Shared<int> by_lock = 0;
    tutti::Shared<int> by_event = 0;
    together(
        [&] {
          by_event = 1;
          ready.set();
          std::scoped_lock held(lock);
          ++by_lock;
        },
        [&] {
          ready.wait();
          EXPECT_EQ(by_event, 1);
          std::scoped_lock held(lock);
          ++by_lock;
        });
    EXPECT_EQ(by_lock, 2);
  }));
}

TEST(Check, NamesTheRingOfADeadlock) {
  const Result result = explore::check(
      [] {
        threading::Lock left;
        threading::Lock right;
        explore::name(left, "left");
        explore::name(right, "right");
        together(
            [&] {
              std::scoped_lock first(left);
              std::scoped_lock second(right);
            },
            [&] {
              std::scoped_lock first(right);
              std::scoped_lock second(left);
            });
      },
      quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::deadlock);
  EXPECT_EQ(result.failure->message,
            "2 threads wait in a ring:\n"
            "  Thread-1 waits for right, held by Thread-2\n"
            "  Thread-2 waits for left, held by Thread-1");
}

TEST(Check, FindsAThreadThatWaitsForItself) {
  const Result result = explore::check(
      [] {
        threading::Lock lock;
        threading::Event never;
        threading::Thread other([&] { never.wait(); });
        other.start();
        lock.acquire();
        lock.acquire();
      },
      quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::deadlock);
  EXPECT_NE(result.failure->message.find("which it holds itself"), std::string::npos);
}

TEST(Check, FindsANotificationThatCameTooEarly) {
  const Result result = explore::check(
      [] {
        threading::Condition changed;
        threading::Thread waiter([&] {
          std::scoped_lock held(changed);
          changed.wait();  // Without asking first whether there is anything to wait for.
        });
        waiter.start();
        {
          std::scoped_lock held(changed);
          changed.notify();
        }
        waiter.join();
      },
      quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::lost_wakeup);
  EXPECT_NE(result.failure->message.find("Thread-1 waits for Condition 1"), std::string::npos)
      << result.failure->message;
}

TEST(Check, FindsALivelock) {
  const Result result = explore::check(
      [] {
        tutti::atomic<bool> stop = false;
        threading::Thread polling([&] {
          while (!stop.load()) {
          }
        });
        polling.start();
        polling.join();
      },
      quietly({.steps = 500}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::livelock);
}

TEST(Check, LetsAPollingThreadWaitForTheOther) {
  const Result result = explore::check([] {
    tutti::atomic<bool> stop = false;
    together(
        [&] {
          while (!stop.load()) {
          }
        },
        [&] { stop = true; });
  });
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.exhausted);
}

// std::scoped_lock tries, and lets go again what it has got: in an unlucky order for ever.
TEST(Check, ExhaustsThreadsThatLockBothInOppositeOrder) {
  const Result result = explore::check([] {
    threading::Lock a;
    threading::Lock b;
    tutti::Shared<int> count = 0;
    together(
        [&] {
          std::scoped_lock held(a, b);
          ++count;
        },
        [&] {
          std::scoped_lock held(b, a);
          ++count;
        });
    EXPECT_EQ(count, 2);
  });
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.exhausted);
  EXPECT_TRUE(result.polling_cut);
  EXPECT_LT(result.schedules, 10'000u);
}

TEST(Check, TakesAnExceptionThatLeavesTheBodyAsFailure) {
  const Result result =
      explore::check([] { throw std::out_of_range("seventh of six"); }, quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::exception);
  EXPECT_EQ(result.failure->message, "the body was left by std::out_of_range: seventh of six");
}

TEST(Check, TakesAnExceptionThatLeavesAThreadAsFailure) {
  const Result result = explore::check(
      [] {
        threading::Thread thread([] { throw std::logic_error("oh"); });
        thread.start();
        thread.join();
      },
      quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::exception);
  EXPECT_EQ(result.failure->message, "Thread-1 was left by std::logic_error: oh");
}

TEST(Check, TakesMisuseAsFailure) {
  const Result result = explore::check(
      [] {
        threading::Lock lock;
        lock.release();
      },
      quietly());
  ASSERT_FALSE(result);
  EXPECT_NE(result.failure->message.find("cannot release Lock"), std::string::npos);
}

TEST(Check, TakesAFailedExpectationAsFailure) {
  const Result result = explore::check([] { EXPECT_EQ(1 + 1, 3); }, quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::assertion);
  EXPECT_NE(result.failure->message.find("1 + 1"), std::string::npos);
}

TEST(Check, TakesAFailedAssertAsFailure) {
#ifndef NDEBUG
  const Result result = explore::check([] { assert(1 + 1 == 3); }, quietly());
  ASSERT_FALSE(result);
  EXPECT_NE(result.failure->message.find("assert(1 + 1 == 3)"), std::string::npos);
#endif
}

void throw_it() {
  throw std::logic_error("not allowed here");
}

void throw_in_vain() noexcept {
  throw_it();
}

TEST(Check, TakesTerminateAsFailure) {
  const Result result = explore::check([] { throw_in_vain(); }, quietly());
  ASSERT_FALSE(result);
  EXPECT_NE(result.failure->message.find("std::terminate"), std::string::npos);
  EXPECT_NE(result.failure->message.find("not allowed here"), std::string::npos);
}

TEST(Check, TakesAThreadThatWasNotJoinedAsFailure) {
  const auto leaves = [] {
    threading::Thread thread([] {});
    thread.start();
  };
  const Result result = explore::check(leaves, quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::unjoined);
  EXPECT_TRUE(explore::check(leaves, quietly({.unjoined = false})));
}

TEST(Check, LeavesDaemonsThatWaitAlone) {
  for (int i = 0; i < 3; ++i) {
    const Result result = explore::check([] {
      auto never = std::make_shared<threading::Event>();
      threading::Thread thread({.target = [never] { never->wait(); }, .daemon = true});
      thread.start();
    });
    EXPECT_TRUE(result);
  }
}

TEST(Check, SaysWhereTheBodyDidNotDoTheSameAgain) {
  int runs = 0;
  const Result result = explore::check(
      [&runs] {
        tutti::atomic<int> word = 0;
        ++runs;
        together([&] { word = 1; },
                 [&] {
                   if (runs % 2 == 0) word.load();
                   word = 2;
                 });
      },
      quietly());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::nondeterminism);
}

TEST(Check, StopsAtItsLimits) {
  const auto body = [] {
    threading::Lock lock;
    const auto work = [&lock] {
      for (int i = 0; i < 4; ++i) std::scoped_lock held(lock);
    };
    together(work, work);
  };
  const Result few = explore::check(body, {.schedules = 10});
  EXPECT_TRUE(few);
  EXPECT_EQ(few.schedules + few.cut_short, 10u);
  EXPECT_FALSE(few.exhausted);
  EXPECT_FALSE(explore::check(body, {.time_limit = 0}).exhausted);
}

TEST(Check, RefusesOptionsThatDontGoTogether) {
  const auto nothing = [] {};
  EXPECT_THROW(
      (void)explore::check(nothing, {.strategy = explore::Strategy::random, .preemptions = 2}),
      ValueError);
  EXPECT_THROW((void)explore::check(nothing, {.schedules = 0}), ValueError);
  EXPECT_THROW((void)explore::check(nothing, {.steps = 0}), ValueError);
  EXPECT_THROW((void)explore::check(nothing, {.strategy = explore::Strategy::pct, .depth = 0}),
               ValueError);
}

TEST(Check, RefusesToRunInsideOfAnother) {
  const Result result = explore::check([] { (void)explore::check([] {}); }, quietly());
  ASSERT_FALSE(result);
  EXPECT_NE(result.failure->message.find("inside of another check"), std::string::npos);
}

TEST(Check, IsExploringInsideOnly) {
  EXPECT_FALSE(explore::is_exploring());
  bool inside = false;
  EXPECT_TRUE(explore::check([&inside] { inside = explore::is_exploring(); }));
  EXPECT_TRUE(inside);
  EXPECT_THROW(explore::fail("outside"), Error);
}

TEST(Check, WorksAfterAFailureAsBefore) {
  const auto deadlock = [] {
    threading::Lock a;
    threading::Lock b;
    together(
        [&] {
          std::scoped_lock first(a);
          std::scoped_lock second(b);
        },
        [&] {
          std::scoped_lock first(b);
          std::scoped_lock second(a);
        });
  };
  const Result first = explore::check(deadlock, quietly());
  const Result second = explore::check(deadlock, quietly());
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(first.schedules, second.schedules);
  EXPECT_EQ(first.failure->message, second.failure->message);
  EXPECT_TRUE(explore::check([] {
    threading::Lock lock;
    together([&] { std::scoped_lock held(lock); }, [&] { std::scoped_lock held(lock); });
  }));
}

}  // namespace

}  // namespace tests
