// What holds for a Condition, whichever lock it has.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <mutex>

#include "suites/stage.h"

namespace tests {

// How a condition comes by its lock.
template <typename FlavourType>
struct WithItsOwnLock : CaseIn<FlavourType> {
  static constexpr const char* name = "WithItsOwnLock";
  static constexpr bool is_recursive = true;
  template <typename StageType>
  static auto& make(StageType& stage) {
    return stage.template make<typename FlavourType::Condition>();
  }
};

template <typename FlavourType>
struct OverALock : CaseIn<FlavourType> {
  static constexpr const char* name = "OverALock";
  static constexpr bool is_recursive = false;
  template <typename StageType>
  static auto& make(StageType& stage) {
    return stage.template make<typename FlavourType::Condition>(
        stage.template make<typename FlavourType::Lock>());
  }
};

template <typename FlavourType>
struct OverAnRLock : CaseIn<FlavourType> {
  static constexpr const char* name = "OverAnRLock";
  static constexpr bool is_recursive = true;
  template <typename StageType>
  static auto& make(StageType& stage) {
    return stage.template make<typename FlavourType::Condition>(
        stage.template make<typename FlavourType::RLock>());
  }
};

template <typename Case>
class Condition : public Stage<typename Case::Flavour> {
 protected:
  /// Starts a worker that waits for a notification once, and then writes down its number while it
  /// has the lock; returns when it waits.
  auto& start_waiter(int number) {
    return this->start_into_wait_pool([&c = condition_, &woken = woken_, number] {
      const std::scoped_lock held(c);
      if (c.wait()) woken.add(number);
    });
  }

  void notify(int n) {
    const std::scoped_lock held(condition_);
    condition_.notify(n);
  }

  void await_woken(std::size_t n) {
    until([&] { return woken_.size() >= n; }, "woken waiters of a condition");
  }

  typename Case::Flavour::Condition& condition_ = Case::make(*this);
  Journal<int>& woken_ = this->template make<Journal<int>>();
};

TYPED_TEST_SUITE_P(Condition);

TYPED_TEST_P(Condition, UseWithoutTheLockIsAnError) {
  auto& c = this->condition_;
  const std::string address = address_of(&c);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { c.wait(); }, {address, "MainThread"}));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { c.wait(0.001); }, {address}));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { c.wait(0); }, {address}));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { c.notify(); }, {address, "MainThread"}));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { c.notify_all(); }, {address}));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { c.wait_for([] { return false; }); }, {address}));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { c.release(); }, {"MainThread"}));
  EXPECT_FALSE(c.locked());
}

TYPED_TEST_P(Condition, UseWithTheLockOfAnotherThreadIsAnError) {
  auto& c = this->condition_;
  auto& refused = this->template make<Journal<bool>>();
  const std::scoped_lock held(c);
  this->start([&c, &refused] {
    refused.add(bool{throws<tutti::RuntimeError>([&] { c.wait(); }, {address_of(&c)})});
    refused.add(bool{throws<tutti::RuntimeError>([&] { c.notify(); }, {address_of(&c)})});
    refused.add(bool{throws<tutti::RuntimeError>([&] { c.notify_all(); }, {address_of(&c)})});
  });
  this->finish();
  EXPECT_EQ(refused.count(true), 3u);
  EXPECT_TRUE(c.locked());
}

TYPED_TEST_P(Condition, NotifyWakesTheLongestWaiterFirst) {
  for (int i = 1; i <= 4; ++i) this->start_waiter(i);
  for (std::size_t n = 1; n <= 4; ++n) {
    this->notify(1);
    this->await_woken(n);
  }
  EXPECT_EQ(this->woken_.entries(), (std::vector<int>{1, 2, 3, 4}));
}

TYPED_TEST_P(Condition, NotifyOfSeveralWakesThemInTheOrderInWhichTheyCame) {
  for (int i = 1; i <= 5; ++i) this->start_waiter(i);
  this->notify(3);
  this->await_woken(3);
  this->notify(2);
  this->finish();
  EXPECT_EQ(this->woken_.entries(), (std::vector<int>{1, 2, 3, 4, 5}));
}

TYPED_TEST_P(Condition, NotifyWakesNoMoreThanItSays) {
  for (int i = 1; i <= 3; ++i) this->start_waiter(i);
  this->notify(2);
  this->await_woken(2);
  this->notify(0);
  auto& c = this->condition_;
  {
    const std::scoped_lock held(c);
    EXPECT_FALSE(c.wait(std::chrono::milliseconds(10))) << "all that were woken have gone on";
  }
  EXPECT_EQ(this->woken_.size(), 2u);
  this->notify(1);
  this->finish();
  EXPECT_EQ(this->woken_.size(), 3u);
}

TYPED_TEST_P(Condition, NotifyOfMoreThanWaitWakesAll) {
  for (int i = 1; i <= 3; ++i) this->start_waiter(i);
  this->notify(100);
  this->finish();
  EXPECT_EQ(this->woken_.entries(), (std::vector<int>{1, 2, 3}));
}

TYPED_TEST_P(Condition, NotifyAllWakesAll) {
  auto& c = this->condition_;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 12; ++i) this->start_waiter(i);
    {
      const std::scoped_lock held(c);
      c.notify_all();
    }
    this->finish();
  }
  EXPECT_EQ(this->woken_.size(), 36u);
  EXPECT_FALSE(c.locked());
}

TYPED_TEST_P(Condition, NotificationsForNobodyAreForgotten) {
  auto& c = this->condition_;
  const std::scoped_lock held(c);
  c.notify();
  c.notify_all();
  c.notify(5);
  EXPECT_FALSE(c.wait(std::chrono::milliseconds(5)));
}

TYPED_TEST_P(Condition, NotifyOfLessThanNobodyIsRefused) {
  auto& c = this->condition_;
  const std::scoped_lock held(c);
  EXPECT_TRUE(throws<tutti::ValueError>([&] { c.notify(-1); }, {"-1"}));
}

TYPED_TEST_P(Condition, WhoBeginsToWaitAfterANotificationIsNotWokenByIt) {
  auto& c = this->condition_;
  this->start_waiter(1);
  {
    const std::scoped_lock held(c);
    c.notify(2);
    // Who waited is woken, and gets the lock meanwhile, in its own time.
    do {
      EXPECT_FALSE(c.wait(std::chrono::milliseconds(10)));
    } while (this->woken_.size() == 0);
  }
}

TYPED_TEST_P(Condition, TheNotifiedGoOnOnlyWhenTheLockIsReleased) {
  auto& c = this->condition_;
  this->start_waiter(1);
  this->start_waiter(2);
  c.acquire();
  c.notify_all();
  tutti::sleep(std::chrono::milliseconds(5));
  EXPECT_EQ(this->woken_.size(), 0u);
  c.release();
  this->finish();
  EXPECT_EQ(this->woken_.size(), 2u);
}

TYPED_TEST_P(Condition, WaitGivesTheLockUpAndReturnsWithIt) {
  auto& c = this->condition_;
  auto& taken_meanwhile = this->template make<Journal<bool>>();
  this->start_into_wait_pool([&c, &taken_meanwhile] {
    c.acquire();
    c.wait();
    taken_meanwhile.add(c.locked());
    c.notify();  // Throws if the lock were not its own.
    c.release();
  });
  EXPECT_TRUE(c.acquire(false));
  c.notify();
  c.release();
  this->finish();
  EXPECT_EQ(taken_meanwhile.entries(), std::vector<bool>{true});
  EXPECT_FALSE(c.locked());
}

TYPED_TEST_P(Condition, WaitGivesUpALockHeldSeveralTimesAndRestoresTheDepth) {
  if constexpr (TypeParam::is_recursive) {
    auto& c = this->condition_;
    auto& depths = this->template make<Journal<int>>();
    this->start_into_wait_pool([&c, &depths] {
      for (int i = 0; i < 3; ++i) c.acquire();
      c.wait();
      for (int i = 0; i < 3; ++i) c.release();
      bool is_free = throws<tutti::RuntimeError>([&] { c.release(); });
      depths.add(is_free ? 3 : -1);
    });
    this->notify(1);
    this->finish();
    EXPECT_EQ(depths.entries(), std::vector<int>{3});

    for (int i = 0; i < 3; ++i) c.acquire();
    EXPECT_FALSE(c.wait(std::chrono::milliseconds(1)));
    for (int i = 0; i < 3; ++i) c.release();
    EXPECT_FALSE(c.locked());
  }
}

TYPED_TEST_P(Condition, WaitTimesOutNotBeforeItsTime) {
  using namespace std::chrono_literals;
  auto& c = this->condition_;
  auto& results = this->template make<Journal<bool>>();
  auto& times = this->template make<Journal<std::chrono::nanoseconds>>();
  for (int i = 0; i < 4; ++i) {
    this->start([&c, &results, &times] {
      const std::scoped_lock held(c);
      times.add(time_of([&] { results.add(c.wait(20ms)); }));
      c.notify(0);  // Throws if the lock were not its own.
    });
  }
  this->finish();
  EXPECT_EQ(results.count(false), 4u);
  for (const auto time : times.entries()) EXPECT_GE(time, 20ms);
}

TYPED_TEST_P(Condition, TimeoutsThatAreOverPoll) {
  auto& c = this->condition_;
  const std::scoped_lock held(c);
  EXPECT_FALSE(c.wait(0));
  EXPECT_FALSE(c.wait(-1));
  EXPECT_FALSE(c.wait(std::chrono::nanoseconds(1)));
  EXPECT_FALSE(c.wait(-std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(c.locked());
  EXPECT_TRUE(throws<tutti::ValueError>([&] { c.wait(std::numeric_limits<double>::quiet_NaN()); }));
}

TYPED_TEST_P(Condition, HugeTimeoutsWaitUntilNotified) {
  auto& c = this->condition_;
  for (const double seconds : {std::numeric_limits<double>::infinity(), 8.64e10, 1e300}) {
    this->start_into_wait_pool([&c, &woken = this->woken_, seconds] {
      const std::scoped_lock held(c);
      if (c.wait(seconds)) woken.add(1);
    });
  }
  this->notify(3);
  this->finish();
  EXPECT_EQ(this->woken_.size(), 3u);
}

TYPED_TEST_P(Condition, AWaiterThatGaveUpTakesNoNotification) {
  auto& c = this->condition_;
  auto& gave_up = this->template make<Journal<bool>>();
  this->start([&c, &gave_up] {
    const std::scoped_lock held(c);
    gave_up.add(!c.wait(std::chrono::milliseconds(10)));
  });
  this->start_waiter(1);
  until([&] { return gave_up.size() == 1; });
  EXPECT_EQ(gave_up.entries(), std::vector<bool>{true});
  this->notify(1);
  this->finish();
  EXPECT_EQ(this->woken_.entries(), std::vector<int>{1});
}

REGISTER_TYPED_TEST_SUITE_P(
    Condition, UseWithoutTheLockIsAnError, UseWithTheLockOfAnotherThreadIsAnError,
    NotifyWakesTheLongestWaiterFirst, NotifyOfSeveralWakesThemInTheOrderInWhichTheyCame,
    NotifyWakesNoMoreThanItSays, NotifyOfMoreThanWaitWakesAll, NotifyAllWakesAll,
    NotificationsForNobodyAreForgotten, NotifyOfLessThanNobodyIsRefused,
    WhoBeginsToWaitAfterANotificationIsNotWokenByIt, TheNotifiedGoOnOnlyWhenTheLockIsReleased,
    WaitGivesTheLockUpAndReturnsWithIt, WaitGivesUpALockHeldSeveralTimesAndRestoresTheDepth,
    WaitTimesOutNotBeforeItsTime, TimeoutsThatAreOverPoll, HugeTimeoutsWaitUntilNotified,
    AWaiterThatGaveUpTakesNoNotification);

}  // namespace tests
