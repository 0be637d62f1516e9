// Rings of waiting threads: exactly one member throws, and says who waits for whom.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "support/sanitizer.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/tutti.h"

namespace tests {

using tutti::DeadlockError;
using tutti::OwnerDiedError;
using tutti::queue::Queue;
using tutti::threading::Barrier;
using tutti::threading::Condition;
using tutti::threading::Event;
using tutti::threading::Lock;
using tutti::threading::Phase;
using tutti::threading::RLock;
using tutti::threading::Thread;
using tutti::threading::WaitKind;

namespace futures = tutti::futures;
namespace threading = tutti::threading;

class Deadlock : public testing::Test {
 protected:
  // Starts a thread of this name; what it throws, which has to be a DeadlockError, is kept.
  Thread& start(std::string name, std::function<void()> work) {
    Thread& thread = threads_.emplace_back(
        threading::ThreadOptions{.target =
                                     [this, work = std::move(work)] {
                                       try {
                                         work();
                                       } catch (const DeadlockError& error) {
                                         const std::scoped_lock held(guard_);
                                         texts_.push_back(error.what());
                                         throwers_.push_back(threading::current_thread().name());
                                       }
                                     },
                                 .name = std::move(name)});
    thread.start();
    return thread;
  }
  void join_all() {
    for (Thread& thread : threads_) thread.join();
  }
  static void until_blocked(const Thread& thread, WaitKind kind) {
    until([&] { return thread.blocked_on().kind == kind; }, "a thread that waits");
  }
  void expect_text(std::initializer_list<std::string> parts) {
    ASSERT_EQ(texts_.size(), 1u);
    for (const std::string& part : parts) {
      EXPECT_NE(texts_[0].find(part), std::string::npos) << part << " is not in:\n" << texts_[0];
    }
  }

  std::deque<Thread> threads_;
  Lock guard_;
  std::vector<std::string> texts_;
  std::vector<std::string> throwers_;
};

// Claims about processes in which all threads wait.
class StuckProcess : public Deadlock {
 protected:
  void SetUp() override {
    if (under_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
  }
};

class DeadlockRing : public Deadlock, public testing::WithParamInterface<int> {};

TEST_P(DeadlockRing, ExactlyOneThrowsAndNamesAll) {
  const auto size = static_cast<std::size_t>(GetParam());
  std::deque<Lock> locks(size);
  Barrier all_hold(GetParam());
  std::atomic<int> went_on = 0;
  for (std::size_t i = 0; i < size; ++i) {
    start("Member-" + std::to_string(i), [&, i] {
      const std::scoped_lock first(locks[i]);
      all_hold.wait();
      const std::scoped_lock second(locks[(i + 1) % size]);
      ++went_on;
    });
  }
  join_all();
  EXPECT_EQ(went_on, GetParam() - 1);
  expect_text({"deadlock: " + std::to_string(size) + " threads wait for each other",
               "thrown in thread '" + throwers_.at(0) + "'", "deadlock_test.cpp:"});
  for (std::size_t i = 0; i < size; ++i) {
    expect_text({"thread 'Member-" + std::to_string(i) + "' waits for Lock at " +
                     address_of(&locks[(i + 1) % size]),
                 "and holds Lock at " + address_of(&locks[i])});
    EXPECT_FALSE(locks[i].locked());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, DeadlockRing, testing::Values(2, 3, 5, 16, 64));

TEST_F(Deadlock, TheLastToBeginToWaitThrows) {
  Lock first;
  Lock second;
  Barrier both(2);
  Thread& older = start("older", [&] {
    const std::scoped_lock held(second);
    both.wait();
    const std::scoped_lock also(first);
  });
  start("younger", [&] {
    const std::scoped_lock held(first);
    both.wait();
    until_blocked(older, WaitKind::lock);
    const std::scoped_lock also(second);
  });
  join_all();
  EXPECT_EQ(throwers_, std::vector<std::string>{"younger"});
}

TEST_F(Deadlock, IsFoundAgainAndAgain) {
  Lock locks[2];
  Barrier both(2);
  for (int i = 0; i < 2; ++i) {
    start("Member-" + std::to_string(i), [&, i] {
      for (int round = 0; round < 10; ++round) {
        both.wait();
        try {
          const std::scoped_lock first(locks[i]);
          both.wait();
          const std::scoped_lock second(locks[1 - i]);
        } catch (const DeadlockError& error) {
          const std::scoped_lock held(guard_);
          texts_.push_back(error.what());
        }
      }
    });
  }
  join_all();
  EXPECT_EQ(texts_.size(), 10u);
}

TEST_F(Deadlock, WhoLocksALockThatItHoldsIsToldAtOnce) {
  Lock lock;
  Condition condition(lock);
  Event may_end;
  start("another", [&] { may_end.wait(); });
  const std::unique_lock held(lock);
  EXPECT_TRUE(throws<DeadlockError>([&] { lock.lock(); }, {"MainThread", address_of(&lock)}));
  EXPECT_TRUE(throws<DeadlockError>([&] { const std::scoped_lock again(lock); }, {"RLock"}));
  EXPECT_TRUE(throws<DeadlockError>([&] { const std::unique_lock again(condition); }));
  may_end.set();
  join_all();
}

TEST_F(Deadlock, OverAnRLockAndALock) {
  RLock tree;
  Lock leaf;
  Barrier both(2);
  start("climber", [&] {
    const std::scoped_lock held(tree);
    const std::scoped_lock deeper(tree);
    both.wait();
    const std::scoped_lock also(leaf);
  });
  start("gardener", [&] {
    const std::scoped_lock held(leaf);
    both.wait();
    const std::scoped_lock also(tree);
  });
  join_all();
  expect_text(
      {"waits for RLock at " + address_of(&tree), "waits for Lock at " + address_of(&leaf)});
}

TEST_F(Deadlock, OverTheLockOfACondition) {
  Condition changed;
  Lock other;
  Event may_notify;
  // It has been notified, and needs the condition's lock again; so another one has to throw.
  Thread& waiter = start("waiter", [&] {
    const std::scoped_lock held(other);
    const std::scoped_lock waiting(changed);
    may_notify.set();
    changed.wait();
  });
  start("notifier", [&] {
    may_notify.wait();
    until_blocked(waiter, WaitKind::condition);
    const std::scoped_lock held(changed);
    changed.notify();
    const std::scoped_lock also(other);
  });
  join_all();
  EXPECT_EQ(throwers_, std::vector<std::string>{"notifier"});
  expect_text({"thread 'waiter' waits for RLock at", "thread 'notifier' waits for Lock at"});
}

TEST_F(Deadlock, OverAJoin) {
  Lock lock;
  Event is_held;
  Thread* worker = nullptr;
  Event is_known;
  Thread& master = start("master", [&] {
    const std::scoped_lock held(lock);
    is_held.set();
    is_known.wait();
    worker->join();
  });
  worker = &start("worker", [&] {
    is_held.wait();
    until_blocked(master, WaitKind::join);
    const std::scoped_lock held(lock);
  });
  is_known.set();
  join_all();
  expect_text({"thread 'master' waits for the end of thread 'worker'", "and holds Lock at"});
}

TEST_F(Deadlock, OfTwoThreadsThatJoinEachOther) {
  Thread* other = nullptr;
  Event is_known;
  Thread& one = start("one", [&] {
    is_known.wait();
    other->join();
  });
  other = &start("two", [&] {
    is_known.wait();
    one.join();
  });
  is_known.set();
  join_all();
  expect_text({"waits for the end of thread 'one'", "waits for the end of thread 'two'"});
}

TEST_F(Deadlock, OverTheResultOfACall) {
  futures::ThreadPoolExecutor pool(1);
  Lock lock;
  lock.acquire();
  Event is_running;
  const auto call = pool.submit([&] {
    is_running.set();
    const std::scoped_lock held(lock);
  });
  is_running.wait();
  const auto waits = [&] {
    try {
      call.result();
    } catch (...) {
      lock.release();  // The call may be the one that throws.
      throw;
    }
    lock.release();
  };
  EXPECT_TRUE(
      throws<DeadlockError>(waits, {"MainThread", "waits for Future at", "whose call thread",
                                    "waits for Lock at " + address_of(&lock)}));
}

TEST_F(Deadlock, OfCallsThatAskForEachOthersResults) {
  futures::ThreadPoolExecutor pool(3);
  std::vector<futures::Future<int>> calls;
  Barrier all_have_begun(4);  // So that nobody runs another one's call in its stead.
  for (std::size_t i = 0; i < 3; ++i) {
    calls.push_back(pool.submit([&, i] {
      all_have_begun.wait();
      return calls[(i + 1) % 3].result();
    }));
  }
  all_have_begun.wait();
  int deadlocks = 0;
  for (const auto& call : calls) {
    if (throws<DeadlockError>([&] { call.result(); }, {"3 threads wait for each other"}))
      ++deadlocks;
  }
  EXPECT_EQ(deadlocks, 3) << "one throws, and the others ask for its result";
}

TEST_F(Deadlock, AWaitWithADeadlineIsInNoRing) {
  Lock locks[2];
  Barrier both(2);
  std::atomic<int> timed_out = 0;
  for (int i = 0; i < 2; ++i) {
    start("Member-" + std::to_string(i), [&, i] {
      const std::scoped_lock first(locks[i]);
      both.wait();
      if (i == 0) {
        timed_out += locks[1].acquire(std::chrono::milliseconds(60)) ? 0 : 1;
      } else {
        const std::scoped_lock second(locks[0]);
      }
    });
  }
  join_all();
  EXPECT_TRUE(texts_.empty());
  EXPECT_EQ(timed_out, 1);
}

TEST_F(Deadlock, ALockThatIsASignalIsInNoRing) {
  Lock signal;
  signal.acquire();
  start("first to release it", [&] { signal.release(); }).join();
  signal.acquire();
  Lock lock;
  Event is_held;
  Thread& waiter = start("waiter", [&] {
    const std::scoped_lock held(lock);
    is_held.set();
    signal.acquire();
  });
  is_held.wait();
  until_blocked(waiter, WaitKind::lock);
  Thread& releaser = start("releaser", [&] {
    until([&] { return threading::main_thread().blocked_on().kind == WaitKind::lock; });
    until([&] {
      for (const auto& info : tutti::inspect::threads()) {
        if (info.main && info.blocked_for > 0.05) return true;
      }
      return false;
    });
    signal.release();
  });
  lock.acquire();
  lock.release();
  releaser.join();
  join_all();
  EXPECT_TRUE(texts_.empty());
}

// --- nobody is left ------------------------------------------------------------------------------

TEST_F(StuckProcess, AGetThatNobodyIsLeftToPutFor) {
  Queue<int> jobs(0, "jobs");
  EXPECT_TRUE(throws<DeadlockError>([&] { jobs.get(); },
                                    {"thread 'MainThread' waits for an item of Queue 'jobs'",
                                     "no thread is left that could end that"}));
  EXPECT_EQ(jobs.qsize(), 0u);
  jobs.put(1);
  EXPECT_EQ(jobs.get(), 1);
}

TEST_F(StuckProcess, APutThatNobodyIsLeftToMakeRoomFor) {
  Queue<int> jobs(1);
  jobs.put(1);
  EXPECT_TRUE(throws<DeadlockError>([&] { jobs.put(2); }, {"waits for room in Queue at"}));
  EXPECT_EQ(jobs.qsize(), 1u);
}

TEST_F(StuckProcess, AJoinOfTasksThatNobodyIsLeftToDo) {
  Queue<int> jobs;
  jobs.put(1);
  EXPECT_TRUE(throws<DeadlockError>([&] { jobs.join(); }, {"waits for the tasks of Queue at"}));
}

TEST_F(StuckProcess, TwoWhoFillEachOthersQueue) {
  Queue<int> to_left(1);
  Queue<int> to_right(1);
  start("left", [&] {
    for (int i = 0; i < 2; ++i) to_right.put(i);
    for (int i = 0; i < 2; ++i) to_left.get();
  });
  start("right", [&] {
    for (int i = 0; i < 2; ++i) to_left.put(i);
    for (int i = 0; i < 2; ++i) to_right.get();
  });
  threads_[0].join();
  threads_[1].join();
  ASSERT_FALSE(texts_.empty()) << "once one has given up, the other one has nobody left either";
  EXPECT_NE(texts_[0].find("waits for room in Queue at"), std::string::npos);
}

TEST_F(StuckProcess, AFutureThatNobodyIsLeftToSet) {
  const futures::Future<int> result;
  EXPECT_TRUE(throws<DeadlockError>([&] { result.result(); }, {"waits for Future at"}));
}

TEST_F(StuckProcess, ALockThatItsOwnerWaitsFor) {
  Lock lock;
  start("owner", [&] {
    lock.acquire();
    lock.acquire();
  });
  join_all();
  expect_text({"thread 'owner' waits for Lock at", "which it holds itself"});
}

TEST_F(StuckProcess, TheEndOfTheLastOneWhoCouldHavePut) {
  Queue<int> jobs;
  Event may_end;
  Thread& putter = start("putter", [&] { may_end.wait(); });
  start("getter", [&] { jobs.get(); });
  until_blocked(threads_[1], WaitKind::queue_empty);
  until([&] {
    for (const auto& info : tutti::inspect::threads()) {
      if (info.name == "getter" && info.blocked_for > 0.1) return true;
    }
    return false;
  });
  may_end.set();
  putter.join();
  join_all();
  EXPECT_EQ(throwers_, std::vector<std::string>{"getter"});
}

// --- owners that die -----------------------------------------------------------------------------

TEST(OwnerDied, ALockWhoseOwnerHasEndedIsRefused) {
  Lock lock;
  Thread owner(threading::ThreadOptions{.target = [&] { lock.acquire(); }, .name = "owner"});
  owner.start();
  owner.join();
  EXPECT_TRUE(throws<OwnerDiedError>(
      [&] { lock.acquire(); },
      {"Lock at " + address_of(&lock), "held by thread 'owner'", "ended", "MainThread"}));
  EXPECT_FALSE(lock.acquire(false));
  EXPECT_FALSE(lock.acquire(std::chrono::milliseconds(30)));
  lock.release();
  lock.acquire();
  lock.release();
}

TEST(OwnerDied, AnRLockWhoseOwnerHasEndedIsRefused) {
  RLock lock;
  Thread owner([&] {
    lock.acquire();
    lock.acquire();
  });
  owner.start();
  owner.join();
  EXPECT_TRUE(throws<OwnerDiedError>([&] { lock.acquire(); }, {"RLock at " + address_of(&lock)}));
}

TEST(OwnerDied, OfThoseWhoExitAndThoseWhoThrow) {
  const auto before = threading::set_excepthook([](const threading::ExceptHookArgs&) {});
  Lock locks[2];
  Thread exits([&] {
    locks[0].acquire();
    tutti::thread::exit();
  });
  Thread throws_out([&] {
    locks[1].acquire();
    throw std::runtime_error("lost");
  });
  exits.start();
  throws_out.start();
  exits.join();
  throws_out.join();
  for (Lock& lock : locks) EXPECT_TRUE(throws<OwnerDiedError>([&] { lock.acquire(); }));
  threading::set_excepthook(before);
}

TEST(OwnerDied, AWaiterAtAConditionIsToldWithTheLockHeld) {
  Condition changed;
  Event waits;
  Thread notifier([&] {
    waits.wait();
    changed.acquire();
    changed.acquire();
    changed.notify();
  });
  notifier.start();
  {
    const std::unique_lock held(changed);
    waits.set();
    EXPECT_TRUE(throws<OwnerDiedError>([&] { changed.wait(); }, {"RLock at", "ended"}));
    EXPECT_TRUE(changed.locked());
  }
  EXPECT_FALSE(changed.locked());
  EXPECT_TRUE(changed.acquire(false));
  changed.release();
  notifier.join();
}

TEST(OwnerDied, ThoseWhoWaitForLongAreTold) {
  Lock lock;
  Event is_held;
  Event may_end;
  Thread owner([&] {
    lock.acquire();
    is_held.set();
    may_end.wait();
  });
  owner.start();
  is_held.wait();
  std::atomic<int> told = 0;
  std::deque<Thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&] {
      EXPECT_TRUE(throws<OwnerDiedError>([&] { lock.acquire(); }));
      ++told;
    });
    waiters.back().start();
  }
  until([] {
    int waiting = 0;
    for (const auto& info : tutti::inspect::threads()) {
      if (info.state.blocked_on.kind == WaitKind::lock && info.blocked_for > 0.1) ++waiting;
    }
    return waiting == 3;
  });
  may_end.set();
  owner.join();
  for (Thread& waiter : waiters) waiter.join();
  EXPECT_EQ(told, 3);
}

}  // namespace tests
