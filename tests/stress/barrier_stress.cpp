// Barrier under random use.
#include <gtest/gtest.h>

#include <array>

#include "stress/stress.h"
#include "tutti/errors.h"
#include "tutti/threading/barrier.h"

namespace tests {

using tutti::threading::Barrier;
using tutti::threading::BrokenBarrierError;

class BarrierStress : public Stress {};

TEST_F(BarrierStress, NobodyIsARoundAhead) {
  constexpr int parties = 5;
  std::int64_t actions = 0;
  Barrier barrier(parties, [&actions] { ++actions; });
  std::array<std::atomic<std::int64_t>, parties> rounds{};
  std::atomic<int> wrong{0};
  std::atomic<std::int64_t> ranks{0};
  std::atomic<bool> ends{false};
  const auto take_part = [&](std::atomic<std::int64_t>& own, Dice& dice) {
    const std::int64_t round = ++own;
    if (dice.one_in(5)) dice.dawdle();
    try {
      ranks += barrier.wait();
    } catch (const BrokenBarrierError&) {
      if (!ends) ++wrong;
      return;
    }
    for (const auto& other : rounds) {
      if (other < round || other > round + 1) ++wrong;
    }
    // Who leaves for good lets the others go.
    if (!goes_on()) {
      ends = true;
      barrier.abort();
    }
  };
  for (auto& own : rounds) start(1, [&take_part, &own](Dice& dice) { take_part(own, dice); });
  run();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(actions, 0);
  EXPECT_GE(ranks, (actions - 1) * (parties * (parties - 1) / 2));
}

// Resets, aborts and time-outs at any moment: all waits end, with a rank or BrokenBarrierError, and
// those that pass do so in full rounds.
TEST_F(BarrierStress, EveryWaitEndsWhateverBreaksIt) {
  constexpr int parties = 3;
  std::atomic<std::int64_t> actions{0};
  Barrier barrier(parties, [&actions] { ++actions; });
  std::atomic<std::int64_t> passed{0};
  std::atomic<std::int64_t> broken{0};
  std::atomic<int> wrong{0};
  start(7, [&](Dice& dice) {
    try {
      const int rank = barrier.wait(dice.timeout(std::chrono::milliseconds(4)));
      if (rank < 0 || rank >= parties) ++wrong;
      ++passed;
    } catch (const BrokenBarrierError&) {
      ++broken;
      if (dice.one_in(3)) barrier.reset();
    }
    dice.dawdle();
  });
  start(1, [&](Dice& dice) {
    dice.dawdle();
    tutti::sleep(std::chrono::microseconds(dice.below(500)));
    if (dice.one_in(4)) barrier.abort();
    barrier.reset();
  });
  run();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(passed, 0);
  EXPECT_GT(broken, 0);
  EXPECT_LE(passed, actions * parties) << "nobody passes without an action of its round";
  EXPECT_EQ(barrier.n_waiting(), 0);
}

}  // namespace tests
