// What holds for an Event.
#pragma once

#include <gtest/gtest.h>

#include <limits>

#include "suites/stage.h"

namespace tests {

template <typename Flavour>
class Event : public Stage<Flavour> {
 protected:
  void start_waiters(int n) {
    for (int i = 0; i < n; ++i) {
      this->start_into_wait_pool(
          [&event = event_, &results = results_] { results.add(event.wait()); });
    }
  }

  typename Flavour::Event& event_ = this->template make<typename Flavour::Event>();
  Journal<bool>& results_ = this->template make<Journal<bool>>();
};

TYPED_TEST_SUITE_P(Event);

TYPED_TEST_P(Event, IsClearUntilSetAndSetUntilCleared) {
  auto& event = this->event_;
  EXPECT_FALSE(event.is_set());
  for (int i = 0; i < 2; ++i) {
    event.set();
    EXPECT_TRUE(event.is_set());
  }
  for (int i = 0; i < 2; ++i) {
    event.clear();
    EXPECT_FALSE(event.is_set());
  }
  event.set();
  EXPECT_TRUE(event.isSet());
}

TYPED_TEST_P(Event, ASetOneIsNotWaitedFor) {
  auto& event = this->event_;
  event.set();
  EXPECT_TRUE(event.wait());
  EXPECT_TRUE(event.wait(0));
  EXPECT_TRUE(event.wait(-1));
  EXPECT_TRUE(event.wait(1e6));
  EXPECT_TRUE(event.is_set()) << "waiting takes nothing away";
}

TYPED_TEST_P(Event, SetReleasesAllThatWait) {
  for (int round = 1; round <= 3; ++round) {
    this->start_waiters(5);
    EXPECT_EQ(this->results_.size(), static_cast<std::size_t>(5 * (round - 1)));
    this->event_.set();
    this->finish();
    EXPECT_EQ(this->results_.count(true), static_cast<std::size_t>(5 * round));
    this->event_.clear();
  }
}

TYPED_TEST_P(Event, SetReleasesAllThatWaitEvenIfClearFollowsAtOnce) {
  for (int round = 1; round <= 5; ++round) {
    this->start_waiters(4);
    this->event_.set();
    this->event_.clear();
    this->finish();
    EXPECT_EQ(this->results_.count(true), static_cast<std::size_t>(4 * round));
    EXPECT_FALSE(this->event_.is_set());
  }
}

TYPED_TEST_P(Event, ClearHoldsBackWhoComesLater) {
  this->event_.set();
  this->event_.clear();
  this->start_waiters(2);
  EXPECT_EQ(this->results_.size(), 0u);
  this->event_.clear();
  EXPECT_EQ(this->results_.size(), 0u);
  this->event_.set();
  this->finish();
  EXPECT_EQ(this->results_.count(true), 2u);
}

TYPED_TEST_P(Event, WaitGivesUpNotBeforeItsTime) {
  using namespace std::chrono_literals;
  auto& times = this->template make<Journal<std::chrono::nanoseconds>>();
  for (int i = 0; i < 4; ++i) {
    this->start([&event = this->event_, &results = this->results_, &times] {
      results.add(event.wait(0));
      times.add(time_of([&] { results.add(event.wait(20ms)); }));
    });
  }
  this->finish();
  EXPECT_EQ(this->results_.count(false), 8u);
  for (const auto time : times.entries()) EXPECT_GE(time, 20ms);
}

TYPED_TEST_P(Event, TimeoutsThatAreOverPoll) {
  auto& event = this->event_;
  for (const double seconds : {0.0, -1.0, -1e300, 1e-12}) EXPECT_FALSE(event.wait(seconds));
  EXPECT_FALSE(event.wait(std::chrono::nanoseconds(1)));
  EXPECT_TRUE(
      throws<tutti::ValueError>([&] { event.wait(std::numeric_limits<double>::quiet_NaN()); }));
}

TYPED_TEST_P(Event, HugeTimeoutsWaitForever) {
  for (const double seconds : {std::numeric_limits<double>::infinity(), 8.64e10, 1e300}) {
    this->start_into_wait_pool([&event = this->event_, &results = this->results_, seconds] {
      results.add(event.wait(seconds));
    });
  }
  this->event_.set();
  this->finish();
  EXPECT_EQ(this->results_.count(true), 3u);
}

TYPED_TEST_P(Event, WaitersThatGaveUpDoNotDisturbTheOthers) {
  this->start([&event = this->event_, &results = this->results_] {
    results.add(event.wait(std::chrono::milliseconds(5)));
  });
  this->start_waiters(1);
  until([&] { return this->results_.size() == 1; });
  EXPECT_FALSE(this->event_.is_set());
  this->event_.set();
  this->finish();
  EXPECT_EQ(this->results_.entries(), (std::vector<bool>{false, true}));

  this->event_.clear();
  EXPECT_FALSE(this->event_.wait(std::chrono::milliseconds(1)));
  this->event_.set();
  EXPECT_TRUE(this->event_.is_set());
}

TYPED_TEST_P(Event, WhatWasWrittenBeforeSetIsSeenAfterWait) {
  auto& message = this->template make<int>(0);
  auto& seen = this->template make<Journal<int>>();
  for (int round = 1; round <= 50; ++round) {
    auto& event = this->template make<typename TypeParam::Event>();
    this->start([&event, &message, &seen] {
      event.wait();
      seen.add(message);
    });
    message = round;
    event.set();
    this->finish();
    EXPECT_EQ(seen.entries().back(), round);
  }
}

TYPED_TEST_P(Event, TwoOfThemPassATurnToAndFro) {
  auto& ping = this->event_;
  auto& pong = this->template make<typename TypeParam::Event>();
  auto& turns = this->template make<Journal<int>>();
  constexpr int rounds = 300;
  this->start([&ping, &pong, &turns] {
    for (int i = 0; i < rounds; ++i) {
      ping.wait();
      ping.clear();
      turns.add(2);
      pong.set();
    }
  });
  this->start([&ping, &pong, &turns] {
    for (int i = 0; i < rounds; ++i) {
      turns.add(1);
      ping.set();
      pong.wait();
      pong.clear();
    }
  });
  this->finish();
  std::vector<int> expected;
  for (int i = 0; i < rounds; ++i) expected.insert(expected.end(), {1, 2});
  EXPECT_EQ(turns.entries(), expected);
}

REGISTER_TYPED_TEST_SUITE_P(Event, IsClearUntilSetAndSetUntilCleared, ASetOneIsNotWaitedFor,
                            SetReleasesAllThatWait, SetReleasesAllThatWaitEvenIfClearFollowsAtOnce,
                            ClearHoldsBackWhoComesLater, WaitGivesUpNotBeforeItsTime,
                            TimeoutsThatAreOverPoll, HugeTimeoutsWaitForever,
                            WaitersThatGaveUpDoNotDisturbTheOthers,
                            WhatWasWrittenBeforeSetIsSeenAfterWait, TwoOfThemPassATurnToAndFro);

}  // namespace tests
