// Semaphore and BoundedSemaphore under random use.
#include <gtest/gtest.h>

#include <deque>
#include <mutex>
#include <numeric>
#include <set>
#include <vector>

#include "stress/stress.h"
#include "tutti/errors.h"
#include "tutti/threading/semaphore.h"

namespace tests {

using tutti::threading::BoundedSemaphore;
using tutti::threading::Semaphore;

class SemaphoreStress : public Stress {};

// Tokens in a bag, as many as the semaphore counts: who has acquired always finds one there, and in
// the end they are the same.
TEST_F(SemaphoreStress, TokensAreConserved) {
  constexpr int tokens = 5;
  Semaphore count(tokens);
  std::mutex bag_lock;
  std::deque<int> bag(tokens);
  std::iota(bag.begin(), bag.end(), 0);
  std::atomic<int> missing{0};
  start(10, [&](Dice& dice) {
    std::vector<int> mine;
    const int wanted = 1 + dice.below(3);
    for (int i = 0; i < wanted; ++i) {
      bool got_it = true;
      switch (mine.empty() ? dice.below(3) : 1 + dice.below(2)) {
        case 0:
          count.acquire();
          break;
        case 1:
          got_it = count.acquire(false);
          break;
        default:
          got_it = count.acquire(true, dice.timeout(std::chrono::milliseconds(2)));
          break;
      }
      if (!got_it) continue;
      const std::scoped_lock held(bag_lock);
      if (bag.empty()) {
        ++missing;
        continue;
      }
      mine.push_back(bag.front());
      bag.pop_front();
    }
    dice.dawdle();
    if (mine.empty()) return;
    {
      const std::scoped_lock held(bag_lock);
      bag.insert(bag.end(), mine.begin(), mine.end());
    }
    count.release(static_cast<int>(mine.size()));
  });
  run();
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(count.value(), tokens);
  EXPECT_EQ((std::multiset<int>(bag.begin(), bag.end())), (std::multiset<int>{0, 1, 2, 3, 4}));
}

TEST_F(SemaphoreStress, ABoundedOneRefusesExactlyWhatIsTooMuch) {
  constexpr int places = 3;
  BoundedSemaphore semaphore(places);
  std::atomic<int> inside{0};
  std::atomic<int> wrong{0};
  std::atomic<std::int64_t> refused{0};
  start(8, [&](Dice& dice) {
    if (!semaphore.acquire(true, dice.timeout(std::chrono::milliseconds(2)))) return;
    if (++inside > places) ++wrong;
    if (dice.one_in(10)) {
      // More than all: whatever the others do, it can't fit.
      try {
        semaphore.release(places + 1);
        ++wrong;
      } catch (const tutti::ValueError&) {
        ++refused;
      }
    }
    dice.dawdle();
    --inside;
    semaphore.release();
  });
  run();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(semaphore.value(), places);
  EXPECT_THROW(semaphore.release(), tutti::ValueError);
}

TEST_F(SemaphoreStress, GivenAndTakenBalance) {
  Semaphore semaphore(0);
  std::atomic<std::int64_t> given{0};
  std::atomic<std::int64_t> taken{0};
  start(5, [&](Dice& dice) {
    if (semaphore.acquire(true, dice.timeout(std::chrono::milliseconds(1)))) ++taken;
  });
  start(3, [&](Dice& dice) {
    const int n = 1 + dice.below(4);
    given += n;
    semaphore.release(n);
    dice.dawdle();
  });
  run();
  EXPECT_EQ(given - taken, semaphore.value());
}

}  // namespace tests
