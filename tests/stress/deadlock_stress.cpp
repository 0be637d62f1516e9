// No false alarms: locks in order, with time-outs, hand-overs, signals, and threads that come and
// go. Whoever reports a deadlock here is wrong.
#include <gtest/gtest.h>

#include <array>
#include <mutex>

#include "stress/stress.h"
#include "tutti/tutti.h"

namespace tests {

using tutti::DeadlockError;
using tutti::queue::Queue;
using tutti::threading::Condition;
using tutti::threading::Event;
using tutti::threading::Lock;
using tutti::threading::RLock;
using tutti::threading::Thread;

namespace futures = tutti::futures;

class DeadlockStress : public Stress {
 protected:
  /// Runs `round` as a thread's, and notes what it throws.
  std::function<void(Dice&)> watched(std::function<void(Dice&)> round) {
    return [this, round = std::move(round)](Dice& dice) {
      try {
        round(dice);
      } catch (const std::exception& error) {
        const std::scoped_lock held(guard_);
        alarms_.push_back(error.what());
      }
      ++rounds_;
    };
  }
  void expect_no_alarm() {
    EXPECT_TRUE(alarms_.empty()) << alarms_.size() << " of them; the first:\n" << alarms_.front();
    EXPECT_GT(rounds_, 0);
  }
  // Long enough for waits to look around.
  static void linger(Dice& dice) {
    if (dice.one_in(8)) {
      tutti::sleep_for(std::chrono::milliseconds(dice.below(30)));
    } else {
      dice.dawdle();
    }
  }

  Lock guard_;
  std::vector<std::string> alarms_;
  std::atomic<int> rounds_{0};
};

TEST_F(DeadlockStress, NoFalseAlarmAmongLocksInOrder) {
  std::array<Lock, 5> locks;
  std::array<RLock, 3> rlocks;
  start(
      16, watched([&](Dice& dice) {
        // Upwards, which closes no ring; and now and then downwards, with a deadline or without
        // waiting.
        const std::size_t first = static_cast<std::size_t>(dice.below(4));
        const std::scoped_lock held(locks[first]);
        linger(dice);
        if (dice.one_in(3)) {
          const std::size_t lower =
              static_cast<std::size_t>(dice.below(static_cast<int>(first) + 1));
          if (lower != first && locks[lower].acquire(dice.timeout(std::chrono::milliseconds(40)))) {
            dice.dawdle();
            locks[lower].release();
          }
        }
        const std::scoped_lock also(locks[first + 1]);
        const std::scoped_lock third(rlocks[static_cast<std::size_t>(dice.below(3))]);
        linger(dice);
      }));
  run();
  expect_no_alarm();
}

TEST_F(DeadlockStress, NoFalseAlarmAmongSignals) {
  // Each lock is acquired by one thread and released by another. They are signals from the start.
  std::array<Lock, 4> signals;
  for (Lock& signal : signals) {
    signal.acquire();
    Thread releases([&] { signal.release(); });
    releases.start();
    releases.join();
    signal.acquire();
  }
  Lock lock;
  start(4, watched([&](Dice& dice) {
          Lock& signal = signals[static_cast<std::size_t>(dice.below(4))];
          if (dice.one_in(2)) {
            signal.acquire(dice.timeout(std::chrono::milliseconds(60)));
          } else {
            const std::scoped_lock held(lock);
            signal.acquire(std::chrono::milliseconds(1 + dice.below(30)));
          }
        }));
  start(2, watched([&](Dice& dice) {
          linger(dice);
          try {
            signals[static_cast<std::size_t>(dice.below(4))].release();
          } catch (const tutti::RuntimeError&) {
            // Nobody holds it at this moment.
          }
        }));
  run();
  expect_no_alarm();
}

TEST_F(DeadlockStress, NoFalseAlarmAmongThreadsThatComeAndGo) {
  std::array<Lock, 3> locks;
  start(6, watched([&](Dice& dice) {
          const std::size_t first = static_cast<std::size_t>(dice.below(2));
          Thread child([&locks, first, &dice] {
            // The parent holds the lower one and joins.
            const std::scoped_lock held(locks[first + 1]);
            linger(dice);
          });
          const std::scoped_lock held(locks[first]);
          child.start();
          child.join();
        }));
  run();
  expect_no_alarm();
}

TEST_F(DeadlockStress, NoFalseAlarmAmongConditionsQueuesAndCalls) {
  Condition changed;
  int turn = 0;
  Queue<int> jobs(2);
  futures::ThreadPoolExecutor pool(2);
  Lock lock;
  start(4, watched([&](Dice& dice) {
          const std::scoped_lock held(changed);
          linger(dice);
          ++turn;
          dice.one_in(2) ? changed.notify() : changed.notify_all();
          changed.wait(std::chrono::milliseconds(1 + dice.below(40)));
        }));
  start(2, watched([&](Dice& dice) {
          linger(dice);
          jobs.put(1);
          jobs.get();
        }));
  start(3, watched([&](Dice& dice) {
          const auto inner = [&] {
            const std::scoped_lock held(lock);
            linger(dice);
          };
          const auto outer = [&] { pool.submit(inner).result(); };
          pool.submit(outer).result();
          const std::scoped_lock held(lock);
          dice.dawdle();
        }));
  run();
  expect_no_alarm();
}

}  // namespace tests
