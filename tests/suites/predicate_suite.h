// Waiting until something is true: Condition::wait_for, and conditions that share a lock.
#pragma once

#include <gtest/gtest.h>

#include <mutex>

#include "suites/condition_suite.h"

namespace tests {

template <typename Case>
class ConditionWaitFor : public Condition<Case> {};

TYPED_TEST_SUITE_P(ConditionWaitFor);

TYPED_TEST_P(ConditionWaitFor, ATrueConditionIsNotWaitedFor) {
  auto& c = this->condition_;
  const std::scoped_lock held(c);
  int calls = 0;
  EXPECT_TRUE(c.wait_for([&] { return ++calls == 1; }));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(c.wait_for([] { return true; }, 0));
  EXPECT_TRUE(c.wait_for([] { return true; }, -1));
}

TYPED_TEST_P(ConditionWaitFor, ReturnsWhatThePredicateReturned) {
  auto& c = this->condition_;
  const std::scoped_lock held(c);
  int number = 7;
  EXPECT_EQ(c.wait_for([&] { return number; }), 7);
  EXPECT_EQ(c.wait_for([&] { return &number; }), &number);
  EXPECT_EQ(c.wait_for([] { return 0; }, 0.001), 0);
  EXPECT_EQ(c.wait_for([] { return static_cast<int*>(nullptr); }, 0.001), nullptr);
}

TYPED_TEST_P(ConditionWaitFor, GoesOnOnlyWhenItIsTrue) {
  auto& c = this->condition_;
  auto& state = this->template make<int>(0);
  auto& seen = this->template make<Journal<int>>();
  auto& worker = this->start_into_wait_pool([&c, &state, &seen] {
    const std::scoped_lock held(c);
    if (c.wait_for([&] { return state == 4; })) seen.add(state);
  });
  for (int i = 1; i <= 4; ++i) {
    this->await(worker, Phase::blocked_in_wait_pool);
    EXPECT_EQ(seen.size(), 0u);
    const std::scoped_lock held(c);
    state = i;
    c.notify();
  }
  this->finish();
  EXPECT_EQ(seen.entries(), std::vector<int>{4});
}

TYPED_TEST_P(ConditionWaitFor, GivesUpNotBeforeItsTimeHoweverOftenItIsNotified) {
  using namespace std::chrono_literals;
  auto& c = this->condition_;
  auto& given_up = this->template make<Journal<bool>>();
  auto& times = this->template make<Journal<std::chrono::nanoseconds>>();
  this->start([&c, &given_up, &times] {
    const std::scoped_lock held(c);
    times.add(time_of([&] { given_up.add(!c.wait_for([] { return false; }, 50ms)); }));
  });
  while (given_up.size() == 0) {
    this->notify(1);
    tutti::sleep(1ms);
  }
  this->finish();
  EXPECT_EQ(given_up.entries(), std::vector<bool>{true});
  for (const auto time : times.entries()) EXPECT_GE(time, 50ms);
}

TYPED_TEST_P(ConditionWaitFor, LooksOnceMoreWhenTheTimeIsOver) {
  auto& c = this->condition_;
  const std::scoped_lock held(c);
  int calls = 0;
  EXPECT_TRUE(c.wait_for([&] { return ++calls > 1; }, std::chrono::milliseconds(1)));
}

TYPED_TEST_P(ConditionWaitFor, HasTheLockWhenItAsks) {
  auto& c = this->condition_;
  auto& flags = this->template make<Journal<bool>>();
  auto& state = this->template make<int>(0);
  this->start_into_wait_pool([&c, &flags, &state] {
    const std::scoped_lock held(c);
    c.wait_for([&] {
      flags.add(c.locked());
      c.notify(0);  // Throws if the lock were not its own.
      return state != 0;
    });
  });
  {
    const std::scoped_lock held(c);
    state = 1;
    c.notify();
  }
  this->finish();
  EXPECT_EQ(flags.entries(), (std::vector<bool>{true, true}));
}

TYPED_TEST_P(ConditionWaitFor, AProducerAndAConsumerAlternate) {
  auto& c = this->condition_;
  auto& has_product = this->template make<bool>(false);
  auto& log = this->template make<Journal<int>>();
  constexpr int rounds = 200;
  for (const bool produces : {true, false}) {
    this->start([&c, &has_product, &log, produces] {
      for (int i = 0; i < rounds; ++i) {
        const std::scoped_lock held(c);
        c.wait_for([&] { return has_product != produces; });
        has_product = produces;
        log.add(produces ? 1 : 2);
        c.notify();
      }
    });
  }
  this->finish();
  std::vector<int> expected;
  for (int i = 0; i < rounds; ++i) expected.insert(expected.end(), {1, 2});
  EXPECT_EQ(log.entries(), expected);
}

REGISTER_TYPED_TEST_SUITE_P(ConditionWaitFor, ATrueConditionIsNotWaitedFor,
                            ReturnsWhatThePredicateReturned, GoesOnOnlyWhenItIsTrue,
                            GivesUpNotBeforeItsTimeHoweverOftenItIsNotified,
                            LooksOnceMoreWhenTheTimeIsOver, HasTheLockWhenItAsks,
                            AProducerAndAConsumerAlternate);

// Conditions over one lock. `Case` has a Flavour and a Lock: its Lock or its RLock.
template <typename Case>
class SharedLock : public Stage<typename Case::Flavour> {
 protected:
  using Condition = typename Case::Flavour::Condition;

  typename Case::Lock& lock_ = this->template make<typename Case::Lock>();
  Condition& first_ = this->template make<Condition>(lock_);
  Condition& second_ = this->template make<Condition>(lock_);
};

TYPED_TEST_SUITE_P(SharedLock);

TYPED_TEST_P(SharedLock, WhoHoldsTheLockHoldsAllItsConditions) {
  const std::scoped_lock held(this->lock_);
  EXPECT_TRUE(this->first_.locked());
  EXPECT_TRUE(this->second_.locked());
  this->first_.notify_all();
  this->second_.notify_all();
  EXPECT_FALSE(this->second_.wait(0));
}

TYPED_TEST_P(SharedLock, WhoHoldsAConditionHoldsTheLock) {
  auto& taken = this->template make<Journal<bool>>();
  this->first_.acquire();
  this->start([&lock = this->lock_, &second = this->second_, &taken] {
    taken.add(lock.acquire(false));
    taken.add(second.acquire(false));
  });
  this->finish();
  this->first_.release();
  EXPECT_EQ(taken.count(false), 2u);
  EXPECT_TRUE(this->lock_.acquire(false));
  this->lock_.release();
}

TYPED_TEST_P(SharedLock, ANotificationReachesItsConditionAlone) {
  auto& woken = this->template make<Journal<int>>();
  int number = 0;
  for (auto* condition : {&this->first_, &this->second_, &this->first_}) {
    this->start_into_wait_pool([&lock = this->lock_, condition, &woken, number] {
      const std::scoped_lock held(lock);
      condition->wait();
      woken.add(number);
    });
    ++number;
  }
  {
    const std::scoped_lock held(this->lock_);
    this->second_.notify_all();
  }
  until([&] { return woken.size() == 1; });
  {
    const std::scoped_lock held(this->lock_);
    EXPECT_EQ(woken.entries(), std::vector<int>{1});
    this->first_.notify_all();
  }
  this->finish();
  EXPECT_EQ(woken.entries(), (std::vector<int>{1, 0, 2}));
}

REGISTER_TYPED_TEST_SUITE_P(SharedLock, WhoHoldsTheLockHoldsAllItsConditions,
                            WhoHoldsAConditionHoldsTheLock, ANotificationReachesItsConditionAlone);

}  // namespace tests
