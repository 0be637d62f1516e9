// Storms of interrupt_main against every wait of the main thread.
#include <gtest/gtest.h>

#include <mutex>

#include "stress/stress.h"
#include "tutti/errors.h"
#include "tutti/thread.h"
#include "tutti/threading.h"

namespace tests {

namespace threading = tutti::threading;
using tutti::KeyboardInterrupt;

class InterruptStress : public Stress {
 protected:
  // The main thread's last interruption may still be pending.
  ~InterruptStress() override {
    try {
      tutti::sleep(0.001);
    } catch (const KeyboardInterrupt&) {
    }
  }
};

TEST_F(InterruptStress, NoWaitIsLostAndNothingIsLeftBehind) {
  threading::Lock lock;
  threading::RLock rlock;
  threading::Condition condition;
  threading::Semaphore semaphore(1);
  threading::Event event;
  threading::Barrier barrier(2);
  std::int64_t guarded = 0;
  std::atomic<std::int64_t> expected{0};
  std::int64_t interrupted = 0;
  std::int64_t rounds = 0;

  start(1, [&](Dice& dice) {
    tutti::thread::interrupt_main();
    dice.dawdle();
  });
  start(3, [&](Dice& dice) {
    {
      const std::scoped_lock held(lock, rlock);
      ++guarded;
      ++expected;
      dice.dawdle();
    }
    {
      const std::scoped_lock place(semaphore);
      dice.dawdle();
    }
    {
      const std::scoped_lock held(condition);
      condition.notify(1 + dice.below(2));
    }
    dice.one_in(2) ? event.set() : event.clear();
  });
  run([&](Dice& dice) {
    ++rounds;
    try {
      const tutti::Timeout timeout = dice.timeout(std::chrono::milliseconds(3));
      switch (dice.below(8)) {
        case 0: {
          const std::scoped_lock held(lock);
          ++guarded;
          ++expected;
          break;
        }
        case 1:
          if (rlock.acquire(true, timeout)) rlock.release();
          break;
        case 2: {
          const std::scoped_lock held(condition);
          condition.wait(timeout);
          break;
        }
        case 3: {
          const std::scoped_lock place(semaphore);
          break;
        }
        case 4:
          event.wait(timeout);
          break;
        case 5: {
          threading::Thread thread([] {});
          thread.start();
          thread.join(timeout);
          break;
        }
        case 6:
          try {
            barrier.wait(timeout);
          } catch (const threading::BrokenBarrierError&) {
            barrier.reset();
          }
          break;
        default:
          tutti::sleep(timeout);
          break;
      }
    } catch (const KeyboardInterrupt&) {
      ++interrupted;
    }
  });
  EXPECT_GT(interrupted, 0);
  EXPECT_GT(rounds, interrupted) << "some rounds must come through";
  EXPECT_EQ(guarded, expected);
  EXPECT_FALSE(lock.locked());
  EXPECT_FALSE(rlock.locked());
  EXPECT_FALSE(condition.locked());
  EXPECT_EQ(semaphore.value(), 1);
  EXPECT_EQ(barrier.n_waiting(), 0);
  EXPECT_FALSE(barrier.broken());
}

}  // namespace tests
