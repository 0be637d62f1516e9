// threading::Thread: its making, start, end and join.
#include "tutti/threading/thread.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/errors.h"
#include "tutti/thread.h"
#include "tutti/threading/event.h"
#include "tutti/threading/lock.h"

namespace tests {

using namespace std::chrono_literals;
using tutti::threading::Event;
using tutti::threading::Phase;
using tutti::threading::Thread;

// A thread that stays until told to go.
class Guest {
 public:
  explicit Guest(tutti::threading::ThreadOptions options = {}) : thread(with(std::move(options))) {
    thread.start();
  }
  ~Guest() { leave(); }
  void leave() {
    may_go.set();
    thread.join();
  }

  Event may_go;
  Thread thread;

 private:
  tutti::threading::ThreadOptions with(tutti::threading::ThreadOptions options) {
    options.target = [this] { may_go.wait(); };
    return options;
  }
};

int free_function_sum = 0;
void add_up(int a, int b) {
  free_function_sum = a + b;
}

TEST(Thread, RunsAFunctionWithItsArguments) {
  Thread thread(add_up, 2, 3);
  thread.start();
  thread.join();
  EXPECT_EQ(free_function_sum, 5);
}

TEST(Thread, TakesItsArgumentsByValue) {
  std::string word = "before";
  std::string seen;
  Event go;
  Thread thread(
      [&](std::string copy) {
        go.wait();
        seen = copy;
      },
      word);
  thread.start();
  word = "after";
  go.set();
  thread.join();
  EXPECT_EQ(seen, "before");
}

TEST(Thread, TakesReferencesWrappedInRef) {
  int number = 1;
  Thread thread([](int& n) { n = 2; }, std::ref(number));
  thread.start();
  thread.join();
  EXPECT_EQ(number, 2);
}

TEST(Thread, MovesWhatCannotBeCopied) {
  auto box = std::make_unique<int>(7);
  int seen = 0;
  Thread thread([held = std::make_unique<int>(5),
                 &seen](std::unique_ptr<int> given) { seen = *held + *given; },
                std::move(box));
  thread.start();
  thread.join();
  EXPECT_EQ(seen, 12);
}

TEST(Thread, CallsMemberFunctionsOnTheirObject) {
  struct Counter {
    int value = 0;
    void add(int n) { value += n; }
  } counter;
  Thread thread(&Counter::add, &counter, 4);
  thread.start();
  thread.join();
  EXPECT_EQ(counter.value, 4);
}

TEST(Thread, IsMadeFromOptionsAsFromPythonsKeywords) {
  bool ran = false;
  Thread thread({.target = [&] { ran = true; }, .name = "feeder", .daemon = true});
  EXPECT_EQ(thread.name(), "feeder");
  EXPECT_TRUE(thread.daemon());
  thread.start();
  thread.join();
  EXPECT_TRUE(ran);
}

TEST(Thread, WithoutTargetEndsAtOnce) {
  Thread thread;
  thread.start();
  thread.join();
  EXPECT_FALSE(thread.is_alive());
}

TEST(Thread, ReservesTheGroupArgument) {
  int group = 0;
  EXPECT_TRUE(throws<tutti::ValueError>([&] { Thread thread({.group = &group}); },
                                        {"group", "MainThread"}));
}

TEST(Thread, DoesNothingBeforeItsStart) {
  bool ran = false;
  {
    Thread thread([&] { ran = true; });
    EXPECT_FALSE(thread.is_alive());
    EXPECT_EQ(thread.ident(), std::nullopt);
    EXPECT_EQ(thread.native_id(), std::nullopt);
    EXPECT_EQ(thread.state(), Phase::new_thread);
  }
  EXPECT_FALSE(ran);
}

TEST(Thread, CanBeStartedOnceOnly) {
  Thread thread({.target = [] {}, .name = "once"});
  thread.start();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.start(); }, {"once"}));
  thread.join();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.start(); }, {"once"}));
}

TEST(Thread, CannotBeJoinedBeforeItsStart) {
  Thread thread({.name = "unborn"});
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.join(); }, {"unborn"}));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.join(0.1); }, {"unborn"}));
  thread.start();
  thread.join();
}

TEST(Thread, CannotJoinItself) {
  testing::AssertionResult inside = testing::AssertionFailure();
  Thread thread({.target =
                     [&] {
                       inside = throws<tutti::DeadlockError>(
                           [] { tutti::threading::current_thread().join(); }, {"narcissus"});
                     },
                 .name = "narcissus"});
  thread.start();
  thread.join();
  EXPECT_TRUE(inside);
  EXPECT_TRUE(throws<tutti::DeadlockError>([] { tutti::threading::current_thread().join(); },
                                           {"MainThread"}));
  EXPECT_THROW(tutti::threading::current_thread().join(), tutti::RuntimeError);
}

TEST(Thread, IsAliveFromStartToEnd) {
  Guest guest;
  EXPECT_TRUE(guest.thread.is_alive());
  EXPECT_TRUE(guest.thread.isAlive());
  guest.leave();
  EXPECT_FALSE(guest.thread.is_alive());
  EXPECT_EQ(guest.thread.state(), Phase::dead);
}

TEST(Thread, JoinReturnsWhenTheTimeIsOverNotBefore) {
  Guest guest;
  EXPECT_GE(time_of([&] { guest.thread.join(20ms); }), 20ms);
  EXPECT_TRUE(guest.thread.is_alive());
  for (const double seconds : {0.0, -1.0, 1e-12}) {
    guest.thread.join(seconds);
    EXPECT_TRUE(guest.thread.is_alive());
  }
  EXPECT_TRUE(throws<tutti::ValueError>(
      [&] { guest.thread.join(std::numeric_limits<double>::quiet_NaN()); }));
  guest.may_go.set();
  guest.thread.join(std::numeric_limits<double>::infinity());
  EXPECT_FALSE(guest.thread.is_alive());
}

TEST(Thread, CanBeJoinedAgainAndAgain) {
  Guest guest;
  guest.leave();
  for (int i = 0; i < 3; ++i) guest.thread.join();
  guest.thread.join(0);
  guest.thread.join(1e6);
  guest.thread.join(tutti::threading::TIMEOUT_MAX);
}

TEST(Thread, CanBeJoinedByManyAtOnce) {
  Guest guest;
  Journal<bool> alive;
  std::vector<Thread> joiners;
  for (int i = 0; i < 8; ++i) {
    joiners.emplace_back([&guest, &alive] {
      guest.thread.join();
      alive.add(guest.thread.is_alive());
    });
    joiners.back().start();
    until([&] { return joiners.back().state() == Phase::blocked_otherwise; });
  }
  EXPECT_EQ(alive.size(), 0u);
  guest.may_go.set();
  for (Thread& joiner : joiners) joiner.join();
  EXPECT_EQ(alive.count(false), 8u);
}

TEST(Thread, JoinReturnsAfterTheLastThreadLocalDestructor) {
  struct Slow {
    ~Slow() {
      std::this_thread::sleep_for(10ms);
      if (destroyed != nullptr) *destroyed = true;
    }
    bool* destroyed = nullptr;
  };
  for (int round = 0; round < 5; ++round) {
    bool destroyed = false;
    Thread thread([&destroyed] {
      static thread_local Slow slow;
      slow.destroyed = &destroyed;
    });
    thread.start();
    thread.join();
    EXPECT_TRUE(destroyed);
  }
}

TEST(Thread, DestroysTargetAndArgumentsAtItsEnd) {
  auto captured = std::make_shared<int>(1);
  auto argument = std::make_shared<int>(2);
  Thread thread([captured](const std::shared_ptr<int>&) {}, argument);
  EXPECT_EQ(captured.use_count(), 2);
  thread.start();
  thread.join();
  EXPECT_EQ(captured.use_count(), 1) << "the handle must not keep what the thread has used";
  EXPECT_EQ(argument.use_count(), 1);
}

TEST(Thread, GoesOnWithoutAnyHandle) {
  Event done;
  Event go;
  {
    Thread thread([&] {
      go.wait();
      done.set();
    });
    thread.start();
  }
  EXPECT_EQ(tutti::threading::active_count(), 2u);
  go.set();
  EXPECT_TRUE(done.wait());
  until([] { return tutti::threading::active_count() == 1; });
}

TEST(Thread, HandlesOfOneThreadAreEqual) {
  Event done;
  bool same = false;
  Thread thread;
  thread = Thread([&] {
    same = tutti::threading::current_thread() == thread;
    done.set();
  });
  const Thread copy = thread;
  const Thread other;
  EXPECT_EQ(copy, thread);
  EXPECT_FALSE(other == thread);
  thread.start();
  thread.join();
  EXPECT_TRUE(same);
  EXPECT_FALSE(copy.is_alive());
}

TEST(Thread, HasANameThatCanBeChanged) {
  Thread first;
  Thread second;
  EXPECT_EQ(first.name().find("Thread-"), 0u) << first.name();
  EXPECT_NE(first.name(), second.name());
  const int number = std::stoi(first.name().substr(7));
  EXPECT_EQ(second.name(), "Thread-" + std::to_string(number + 1));
  first.set_name("renamed");
  EXPECT_EQ(first.name(), "renamed");
  first.setName("again");
  EXPECT_EQ(first.getName(), "again");
  Thread named({.name = "named"});
  EXPECT_EQ(named.name(), "named");
}

TEST(Thread, KeepsALongNameWhole) {
  const std::string name(200, 'x');
  Guest guest({.name = name});
  EXPECT_EQ(guest.thread.name(), name);
  guest.thread.set_name(name + "y");
  EXPECT_EQ(guest.thread.name(), name + "y");
  guest.leave();
  EXPECT_EQ(guest.thread.name(), name + "y");
}

TEST(Thread, InheritsDaemonFromItsMaker) {
  EXPECT_FALSE(tutti::threading::current_thread().daemon());
  EXPECT_FALSE(Thread().daemon());
  for (const bool daemon : {false, true}) {
    Journal<bool> daemons;
    Thread maker({.target =
                      [&] {
                        daemons.add(tutti::threading::current_thread().daemon());
                        daemons.add(Thread().daemon());
                        daemons.add(!Thread({.daemon = !daemon}).daemon());
                      },
                  .daemon = daemon});
    maker.start();
    maker.join();
    EXPECT_EQ(daemons.count(daemon), 3u);
  }
}

TEST(Thread, BecomesDaemonBeforeItsStartOnly) {
  Thread thread({.name = "late"});
  thread.set_daemon(true);
  EXPECT_TRUE(thread.daemon());
  thread.setDaemon(false);
  EXPECT_FALSE(thread.isDaemon());
  thread.start();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.set_daemon(true); }, {"late"}));
  thread.join();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.set_daemon(true); }, {"late"}));
  EXPECT_FALSE(thread.daemon());
  EXPECT_TRUE(throws<tutti::RuntimeError>(
      [] { tutti::threading::current_thread().set_daemon(true); }, {"MainThread"}));
}

TEST(Thread, HasAnIdentThatNoOtherLivingThreadHas) {
  std::set<std::uint64_t> idents{tutti::threading::get_ident()};
  std::set<std::uint32_t> native_ids{tutti::threading::get_native_id()};
  {
    std::vector<std::unique_ptr<Guest>> guests;
    for (int i = 0; i < 20; ++i) {
      guests.push_back(std::make_unique<Guest>());
      idents.insert(guests.back()->thread.ident().value());
      native_ids.insert(guests.back()->thread.native_id().value());
    }
  }
  EXPECT_EQ(idents.size(), 21u);
  EXPECT_EQ(native_ids.size(), 21u);
  EXPECT_FALSE(idents.contains(0));
}

TEST(Thread, KnowsItsIdentsFromInsideAndAfterItsEnd) {
  std::uint64_t ident = 0;
  std::uint32_t native_id = 0;
  Thread thread([&] {
    ident = tutti::threading::get_ident();
    native_id = static_cast<std::uint32_t>(gettid());
    EXPECT_EQ(tutti::threading::get_native_id(), native_id);
  });
  thread.start();
  thread.join();
  EXPECT_EQ(thread.ident(), ident);
  EXPECT_EQ(thread.native_id(), native_id);
}

TEST(Thread, DescribesItselfAsPythonDoes) {
  Guest guest({.name = "poet", .daemon = true});
  const std::string ident = std::to_string(*guest.thread.ident());
  EXPECT_EQ(guest.thread.to_string(), "<Thread(poet, started daemon " + ident + ")>");
  guest.leave();
  EXPECT_EQ(guest.thread.to_string(), "<Thread(poet, stopped daemon " + ident + ")>");
  Thread unborn({.name = "unborn"});
  EXPECT_EQ(unborn.to_string(), "<Thread(unborn, initial)>");
}

TEST(Thread, StartsAndJoinsOthersItself) {
  Journal<int> steps;
  Thread outer([&] {
    Thread inner([&] { steps.add(1); });
    inner.start();
    inner.join();
    steps.add(2);
  });
  outer.start();
  outer.join();
  EXPECT_EQ(steps.entries(), (std::vector<int>{1, 2}));
}

TEST(Thread, EndsSilentlyBySystemExit) {
  bool went_on = false;
  bool unwound = false;
  Thread thread([&] {
    const std::shared_ptr<void> guard(nullptr, [&](void*) { unwound = true; });
    tutti::thread::exit();
    went_on = true;
  });
  testing::internal::CaptureStderr();
  thread.start();
  thread.join();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(unwound);
  EXPECT_FALSE(went_on);
}

}  // namespace tests
