// Event under random use.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "stress/stress.h"
#include "tutti/threading/event.h"

namespace tests {

using tutti::threading::Event;

class EventStress : public Stress {};

// Whoever waits without a limit is released by a later set(), whoever clears it in between.
TEST_F(EventStress, NoSetIsMissed) {
  Event event;
  std::atomic<std::int64_t> passed{0};
  std::atomic<int> wrong{0};
  start(6, [&](Dice& dice) {
    if (dice.one_in(2)) {
      if (!event.wait()) ++wrong;
      ++passed;
    } else if (event.wait(dice.timeout(std::chrono::milliseconds(2)))) {
      ++passed;
    }
  });
  start(2, [&](Dice& dice) {
    event.clear();
    dice.dawdle();
  });
  at_end([&] { event.set(); });
  run([&](Dice& dice) {
    event.set();
    dice.dawdle();
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(passed, 0);
}

// Two threads hand a plain number to and fro: each sees what the other wrote.
TEST_F(EventStress, WhatWasWrittenBeforeSetIsSeen) {
  struct Lane {
    Event there;
    Event back;
    std::int64_t number = 0;
  };
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < 4; ++i) lanes.push_back(std::make_unique<Lane>());
  std::atomic<int> wrong{0};
  for (auto& lane : lanes) {
    start(1, [&, &it = *lane](Dice& dice) {
      const std::int64_t before = ++it.number;
      it.there.set();
      if (dice.one_in(10)) dice.dawdle();
      while (!it.back.wait(dice.timeout(std::chrono::milliseconds(5)))) {
        if (!goes_on()) return;
      }
      it.back.clear();
      if (it.number != before + 1) ++wrong;
    });
    start(1, [&, &it = *lane](Dice& dice) {
      while (!it.there.wait(dice.timeout(std::chrono::milliseconds(5)))) {
        if (!goes_on()) return;
      }
      it.there.clear();
      ++it.number;
      it.back.set();
    });
  }
  run();
  EXPECT_EQ(wrong, 0);
}

}  // namespace tests
