// Lock and RLock under random use.
#include <gtest/gtest.h>

#include <array>
#include <mutex>

#include "stress/stress.h"
#include "tutti/threading/lock.h"
#include "tutti/threading/rlock.h"

namespace tests {

using tutti::threading::Lock;
using tutti::threading::RLock;

class LockStress : public Stress {
 protected:
  // Guarded by the lock under test; plain, so that a second one inside loses counts, and
  // ThreadSanitizer sees it.
  std::int64_t counter_ = 0;
  int inside_ = 0;
  std::atomic<std::int64_t> expected_{0};
  std::atomic<int> wrong_{0};

  void visit(Dice& dice) {
    if (++inside_ != 1) ++wrong_;
    ++counter_;
    if (dice.one_in(20)) dice.dawdle();
    --inside_;
    ++expected_;
  }
  void expect_exclusion() {
    EXPECT_EQ(wrong_, 0);
    EXPECT_EQ(counter_, expected_);
    EXPECT_GT(counter_, 0);
  }
};

TEST_F(LockStress, AtMostOneIsInside) {
  Lock lock;
  start(8, [&](Dice& dice) {
    const std::scoped_lock held(lock);
    visit(dice);
  });
  run();
  expect_exclusion();
  EXPECT_FALSE(lock.locked());
}

TEST_F(LockStress, AtMostOneIsInsideWhenSomeTryAndSomeGiveUp) {
  Lock lock;
  start(12, [&](Dice& dice) {
    bool got_it = true;
    switch (dice.below(3)) {
      case 0:
        lock.acquire();
        break;
      case 1:
        got_it = lock.acquire(false);
        break;
      default:
        got_it = lock.acquire(dice.timeout(std::chrono::milliseconds(2)));
        break;
    }
    if (!got_it) return dice.dawdle();
    visit(dice);
    lock.release();
    if (dice.one_in(4)) dice.dawdle();
  });
  run();
  expect_exclusion();
  EXPECT_FALSE(lock.locked());
}

// Whoever takes the lock leaves it on a shelf; whoever finds one there releases it.
TEST_F(LockStress, AtMostOneIsInsideWhenOthersRelease) {
  Lock lock;
  std::atomic<int> held{0};
  start(4, [&](Dice& dice) {
    if (!lock.acquire(dice.timeout(std::chrono::milliseconds(2)))) return;
    visit(dice);
    if (dice.one_in(2)) {
      lock.release();
    } else if (held.exchange(1) != 0) {
      ++wrong_;
    }
  });
  start(4, [&](Dice& dice) {
    if (held.exchange(0) == 1) lock.release();
    dice.dawdle();
  });
  run();
  if (held == 1) lock.release();
  expect_exclusion();
  EXPECT_FALSE(lock.locked());
}

TEST_F(LockStress, ManyLocksTakenInRandomOrderByScopedLock) {
  std::array<Lock, 4> locks;
  std::array<std::int64_t, 4> counters{};
  std::array<std::atomic<std::int64_t>, 4> expected{};
  start(6, [&](Dice& dice) {
    const auto a = static_cast<std::size_t>(dice.below(4));
    const auto b = (a + 1 + static_cast<std::size_t>(dice.below(3))) % 4;
    const std::scoped_lock held(locks[a], locks[b]);
    for (const std::size_t i : {a, b}) {
      ++counters[i];
      ++expected[i];
    }
  });
  run();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(counters[i], expected[i]);
}

TEST_F(LockStress, RLockIsTakenToAnyDepth) {
  RLock lock;
  start(8, [&](Dice& dice) {
    const int depth = 1 + dice.below(6);
    int taken = 0;
    for (; taken < depth; ++taken) {
      bool got_it = true;
      switch (dice.below(3)) {
        case 0:
          lock.acquire();
          break;
        case 1:
          got_it = lock.acquire(false);
          break;
        default:
          got_it = lock.acquire(true, dice.timeout(std::chrono::milliseconds(1)));
          break;
      }
      if (!got_it && taken > 0) ++wrong_;  // Its owner always gets it.
      if (!got_it) break;
      visit(dice);
      if (dice.one_in(3)) {
        lock.release();
        --taken;
        if (taken < 0) return;
      }
    }
    for (; taken > 0; --taken) lock.release();
  });
  run();
  expect_exclusion();
  EXPECT_FALSE(lock.locked());
}

}  // namespace tests
