// Condition under random use.
#include <gtest/gtest.h>

#include <deque>
#include <mutex>

#include "stress/stress.h"
#include "support/until.h"
#include "tutti/threading/condition.h"

namespace tests {

using tutti::threading::Condition;
using tutti::threading::Lock;

class ConditionStress : public Stress {
 protected:
  // Guarded by the condition's lock.
  std::int64_t waiting_ = 0;
  std::int64_t sent_ = 0;
  std::int64_t heard_ = 0;
};

// Who waits without a limit is woken by exactly the notifications that it is counted for.
TEST_F(ConditionStress, NotifyWakesExactlyAsManyAsItSays) {
  Condition condition;
  const auto notify = [&](std::int64_t n) {
    condition.notify(static_cast<int>(n));
    waiting_ -= n;
    sent_ += n;
  };
  start(6, [&](Dice& dice) {
    {
      const std::scoped_lock held(condition);
      ++waiting_;
      if (condition.wait()) ++heard_;
    }
    dice.dawdle();
  });
  at_end([&] {
    const std::scoped_lock held(condition);
    notify(waiting_);
  });
  run([&](Dice& dice) {
    {
      const std::scoped_lock held(condition);
      notify(dice.below(static_cast<int>(waiting_) + 1));
    }
    dice.dawdle();
  });
  EXPECT_EQ(heard_, sent_);
  EXPECT_GT(heard_, 0);
}

TEST_F(ConditionStress, NobodyHearsWhatWasNotSent) {
  Lock lock;
  Condition condition(lock);
  start(8, [&](Dice& dice) {
    const std::scoped_lock held(lock);
    if (condition.wait(dice.timeout(std::chrono::milliseconds(3)))) ++heard_;
  });
  start(2, [&](Dice& dice) {
    {
      const std::scoped_lock held(lock);
      const int n = dice.below(3);
      condition.notify(n);
      sent_ += n;
    }
    dice.dawdle();
  });
  run();
  EXPECT_LE(heard_, sent_);
  EXPECT_GT(heard_, 0);
}

// When nothing moves any more, no token is left while somebody waits for one.
TEST_F(ConditionStress, NoNotificationIsLostOnAWaiterThatGivesUp) {
  Condition condition;
  std::int64_t tokens = 0;
  std::atomic<int> patient{0};
  start(4, [&](Dice& dice) {
    const std::scoped_lock held(condition);
    if (condition.wait_for([&] { return tokens > 0; },
                           dice.timeout(std::chrono::milliseconds(1)))) {
      --tokens;
    }
  });
  at_end([&] {
    const std::scoped_lock held(condition);
    condition.notify_all();
  });
  start(4, [&](Dice&) {
    const std::scoped_lock held(condition);
    ++patient;
    condition.wait_for([&] { return tokens > 0 || !goes_on(); });
    --patient;
    if (goes_on()) --tokens;
  });
  std::atomic<int> checks{0};
  run([&](Dice& dice) {
    for (int i = dice.below(20); i > 0; --i) {
      const std::scoped_lock held(condition);
      ++tokens;
      condition.notify();
    }
    if (!dice.one_in(10)) return dice.dawdle();
    until(
        [&] {
          const std::scoped_lock held(condition);
          return tokens == 0 || patient == 0;
        },
        "tokens to be taken by those who wait for them");
    ++checks;
  });
  EXPECT_GT(checks, 0);
}

TEST_F(ConditionStress, ABoundedBufferLosesAndDoublesNothing) {
  constexpr std::size_t capacity = 4;
  Lock lock;
  Condition not_full(lock);
  Condition not_empty(lock);
  std::deque<std::int64_t> buffer;
  std::int64_t produced = 0;
  std::int64_t consumed = 0;
  std::int64_t next = 0;
  start(4, [&](Dice& dice) {
    const std::scoped_lock held(lock);
    if (!not_full.wait_for([&] { return buffer.size() < capacity; },
                           dice.timeout(std::chrono::milliseconds(2)))) {
      return;
    }
    buffer.push_back(++next);
    produced += next;
    not_empty.notify();
  });
  start(4, [&](Dice& dice) {
    const std::scoped_lock held(lock);
    if (!not_empty.wait_for([&] { return !buffer.empty(); },
                            dice.timeout(std::chrono::milliseconds(2)))) {
      return;
    }
    EXPECT_LE(buffer.size(), capacity);
    consumed += buffer.front();
    buffer.pop_front();
    not_full.notify();
  });
  run();
  for (const std::int64_t left : buffer) consumed += left;
  EXPECT_EQ(consumed, produced);
  EXPECT_GT(next, 0);
}

TEST_F(ConditionStress, WaitersOfSharedLockAndDeepRLockAlwaysComeBack) {
  tutti::threading::RLock lock;
  Condition first(lock);
  Condition second(lock);
  std::int64_t guarded = 0;
  std::atomic<std::int64_t> expected{0};
  start(8, [&](Dice& dice) {
    const int depth = 1 + dice.below(3);
    for (int i = 0; i < depth; ++i) lock.acquire();
    Condition& condition = dice.one_in(2) ? first : second;
    if (dice.one_in(2)) condition.wait(dice.timeout(std::chrono::milliseconds(2)));
    ++guarded;
    ++expected;
    if (dice.one_in(3)) {
      first.notify_all();
    } else {
      second.notify(dice.below(3));
    }
    for (int i = 0; i < depth; ++i) lock.release();
  });
  run();
  EXPECT_EQ(guarded, expected);
  EXPECT_FALSE(lock.locked());
}

}  // namespace tests
