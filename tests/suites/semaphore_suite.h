// What holds for Semaphore and BoundedSemaphore.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <mutex>

#include "suites/stage.h"

namespace tests {

/// `Case` names a Flavour and the Semaphore to test, and has a name.
template <typename Case>
class AnySemaphore : public Stage<typename Case::Flavour> {
 protected:
  using SemaphoreType = typename Case::Semaphore;

  SemaphoreType& make_semaphore(int value) { return this->template make<SemaphoreType>(value); }

  /// A semaphore for `value` with all places taken.
  SemaphoreType& make_taken(int value) {
    SemaphoreType& semaphore = make_semaphore(value);
    for (int i = 0; i < value; ++i) semaphore.acquire();
    return semaphore;
  }

  /// Starts a worker that takes a place and writes down its number; returns when it waits.
  auto& start_waiter(SemaphoreType& semaphore, int number) {
    return this->start_into_wait_pool([&semaphore, &passed = passed_, number] {
      semaphore.acquire();
      passed.add(number);
    });
  }

  void await_passed(std::size_t n) {
    until([&] { return passed_.size() >= n; }, "those who pass a semaphore");
  }

  Journal<int>& passed_ = this->template make<Journal<int>>();
};

TYPED_TEST_SUITE_P(AnySemaphore);

TYPED_TEST_P(AnySemaphore, ACountBelowZeroIsRefused) {
  using Semaphore = typename TypeParam::Semaphore;
  EXPECT_TRUE(throws<tutti::ValueError>([] { Semaphore bad(-1); }, {"-1"}));
  EXPECT_TRUE(throws<tutti::ValueError>([] { Semaphore bad(std::numeric_limits<int>::min()); }));
}

TYPED_TEST_P(AnySemaphore, HasOnePlaceUnlessToldOtherwise) {
  auto& semaphore = this->template make<typename TypeParam::Semaphore>();
  EXPECT_EQ(semaphore.value(), 1);
  EXPECT_TRUE(semaphore.acquire(false));
  EXPECT_FALSE(semaphore.acquire(false));
  semaphore.release();
}

TYPED_TEST_P(AnySemaphore, HasAsManyPlacesAsItWasToldAndNoMore) {
  for (const int places : {0, 1, 2, 10, std::numeric_limits<int>::max()}) {
    auto& semaphore = this->make_semaphore(places);
    EXPECT_EQ(semaphore.value(), places);
    const int taken = std::min(places, 20);
    for (int i = 0; i < taken; ++i) semaphore.acquire();
    EXPECT_EQ(semaphore.value(), places - taken);
    EXPECT_EQ(semaphore.acquire(false), places > taken);
  }
}

TYPED_TEST_P(AnySemaphore, MayBeDestroyedWhileTaken) {
  this->make_taken(2);
}

TYPED_TEST_P(AnySemaphore, TryAcquireTakesWhatIsFree) {
  auto& semaphore = this->make_semaphore(2);
  EXPECT_TRUE(semaphore.acquire(false));
  EXPECT_TRUE(semaphore.acquire(true));
  EXPECT_FALSE(semaphore.acquire(false));
  EXPECT_FALSE(semaphore.try_lock());
  semaphore.release();
  EXPECT_TRUE(semaphore.try_lock());
}

TYPED_TEST_P(AnySemaphore, AmongManyWhoTryAsManyGetItAsThereArePlaces) {
  auto& semaphore = this->make_semaphore(4);
  semaphore.acquire();
  auto& results = this->template make<Journal<bool>>();
  for (int i = 0; i < 5; ++i) {
    this->start([&semaphore, &results] {
      results.add(semaphore.acquire(false));
      results.add(semaphore.acquire(false));
    });
  }
  this->finish();
  EXPECT_EQ(results.count(true), 3u);
  EXPECT_EQ(results.count(false), 7u);
}

TYPED_TEST_P(AnySemaphore, EachReleaseLetsOneMorePass) {
  auto& semaphore = this->make_taken(7);
  for (int i = 0; i < 10; ++i) {
    this->start([&semaphore, &passed = this->passed_] {
      for (int round = 0; round < 2; ++round) {
        semaphore.acquire();
        passed.add(round);
      }
    });
  }
  EXPECT_EQ(this->passed_.size(), 0u);
  std::size_t expected = 0;
  for (const int released : {6, 1, 7, 5}) {
    for (int i = 0; i < released; ++i) semaphore.release();
    expected += static_cast<std::size_t>(released);
    this->await_passed(expected);
    EXPECT_EQ(this->passed_.size(), expected);
    EXPECT_FALSE(semaphore.acquire(false));
  }
  semaphore.release();
  this->finish();
  EXPECT_EQ(this->passed_.size(), 20u);
  EXPECT_EQ(semaphore.value(), 0);
}

TYPED_TEST_P(AnySemaphore, ServesTheLongestWaiterFirst) {
  auto& semaphore = this->make_taken(2);
  for (int i = 1; i <= 5; ++i) this->start_waiter(semaphore, i);
  for (std::size_t n = 1; n <= 5; ++n) {
    semaphore.release();
    this->await_passed(n);
  }
  this->finish();
  EXPECT_EQ(this->passed_.entries(), (std::vector<int>{1, 2, 3, 4, 5}));
}

TYPED_TEST_P(AnySemaphore, APlaceThatSomebodyWaitsForCannotBeSnatched) {
  auto& semaphore = this->make_taken(1);
  for (int i = 1; i <= 20; ++i) {
    this->start_waiter(semaphore, i);
    semaphore.release();
    EXPECT_FALSE(semaphore.acquire(false)) << "it is the waiter's, even if that does not run yet";
    EXPECT_EQ(semaphore.value(), 0);
    this->finish();
  }
  EXPECT_EQ(this->passed_.size(), 20u);
}

TYPED_TEST_P(AnySemaphore, ReleaseOfSeveralLetsAsManyPass) {
  auto& semaphore = this->make_taken(4);
  for (int i = 1; i <= 5; ++i) this->start_waiter(semaphore, i);
  semaphore.release(3);
  this->await_passed(3);
  EXPECT_EQ(this->passed_.sorted(), (std::vector<int>{1, 2, 3}));
  semaphore.release(4);
  this->finish();
  EXPECT_EQ(this->passed_.size(), 5u);
  EXPECT_EQ(semaphore.value(), 2) << "what nobody waits for stays free";
}

TYPED_TEST_P(AnySemaphore, ReleaseOfLessThanOneIsRefused) {
  auto& semaphore = this->make_semaphore(3);
  semaphore.acquire();
  const std::string address = address_of(&semaphore);
  for (const int n : {0, -1, std::numeric_limits<int>::min()}) {
    EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(n); },
                                          {address, std::to_string(n), "MainThread"}));
  }
  EXPECT_EQ(semaphore.value(), 2);
}

TYPED_TEST_P(AnySemaphore, TimedAcquireGivesUpNotBeforeItsTime) {
  using namespace std::chrono_literals;
  auto& semaphore = this->make_semaphore(2);
  EXPECT_TRUE(semaphore.acquire(5ms));
  EXPECT_TRUE(semaphore.acquire(true, 0.005));
  EXPECT_GE(time_of([&] { EXPECT_FALSE(semaphore.acquire(20ms)); }), 20ms);
  semaphore.release();
  EXPECT_TRUE(semaphore.acquire(5ms));
}

TYPED_TEST_P(AnySemaphore, TimeoutsThatAreOverPoll) {
  auto& semaphore = this->make_semaphore(2);
  EXPECT_TRUE(semaphore.acquire(tutti::Timeout(0)));
  EXPECT_TRUE(semaphore.acquire(true, -1));
  for (const double seconds : {0.0, -1.0, -0.5, -1e300, 1e-12}) {
    EXPECT_FALSE(semaphore.acquire(true, seconds)) << seconds;
  }
  EXPECT_FALSE(semaphore.acquire(std::chrono::nanoseconds(1)));
  semaphore.release();
  EXPECT_TRUE(semaphore.acquire(true, -5));
}

TYPED_TEST_P(AnySemaphore, BadTimeoutsAreRefused) {
  auto& semaphore = this->make_semaphore(1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double seconds : {0.0, 1.0, -1.0}) {
    EXPECT_TRUE(
        throws<tutti::ValueError>([&] { semaphore.acquire(false, seconds); }, {"MainThread"}));
  }
  EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.acquire(true, nan); }));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.acquire(tutti::Timeout(nan)); }));
  EXPECT_EQ(semaphore.value(), 1);
  EXPECT_TRUE(semaphore.acquire(false, tutti::forever));
}

TYPED_TEST_P(AnySemaphore, HugeTimeoutsWaitForever) {
  auto& semaphore = this->make_taken(3);
  for (const double seconds : {std::numeric_limits<double>::infinity(), 8.64e10, 1e300}) {
    this->start_into_wait_pool([&semaphore, &passed = this->passed_, seconds] {
      if (semaphore.acquire(true, seconds)) passed.add(1);
    });
  }
  semaphore.release(3);
  this->finish();
  EXPECT_EQ(this->passed_.size(), 3u);
}

TYPED_TEST_P(AnySemaphore, AWaiterThatGaveUpLosesNoPlace) {
  auto& semaphore = this->make_taken(1);
  auto& given_up = this->template make<Journal<bool>>();
  this->start(
      [&semaphore, &given_up] { given_up.add(!semaphore.acquire(std::chrono::milliseconds(5))); });
  this->start_waiter(semaphore, 1);
  until([&] { return given_up.size() == 1; });
  semaphore.release();
  this->finish();
  EXPECT_EQ(given_up.entries(), std::vector<bool>{true});
  EXPECT_EQ(this->passed_.size(), 1u);
  EXPECT_EQ(semaphore.value(), 0);

  EXPECT_FALSE(semaphore.acquire(std::chrono::milliseconds(1)));
  semaphore.release();
  EXPECT_EQ(semaphore.value(), 1) << "the last waiter has given up: the place is free";
  EXPECT_TRUE(semaphore.acquire(false));
}

TYPED_TEST_P(AnySemaphore, FitsTheGuardsOfStd) {
  using namespace std::chrono_literals;
  using Held = std::unique_lock<typename TypeParam::Semaphore>;
  auto& semaphore = this->make_semaphore(2);
  {
    const std::lock_guard one(semaphore);
    const std::scoped_lock two(semaphore);
    EXPECT_EQ(semaphore.value(), 0);
    EXPECT_FALSE(Held(semaphore, std::try_to_lock).owns_lock());
    EXPECT_FALSE(Held(semaphore, -1s).owns_lock());
    EXPECT_GE(time_of([&] { EXPECT_FALSE(Held(semaphore, 10ms).owns_lock()); }), 10ms);
    EXPECT_FALSE(Held(semaphore, SteadyClock::now() + 1ms).owns_lock());
  }
  EXPECT_EQ(semaphore.value(), 2);
  EXPECT_TRUE(Held(semaphore, 1h).owns_lock());
  EXPECT_TRUE(Held(semaphore, SteadyClock::now() + 1h).owns_lock());
  EXPECT_EQ(semaphore.value(), 2);
}

TYPED_TEST_P(AnySemaphore, NeverLetsMoreInThanItHasPlaces) {
  auto& semaphore = this->make_semaphore(3);
  auto& inside = this->template make<std::atomic<int>>(0);
  auto& too_many = this->template make<std::atomic<int>>(0);
  for (int i = 0; i < 8; ++i) {
    this->start([&semaphore, &inside, &too_many] {
      for (int round = 0; round < 300; ++round) {
        const std::scoped_lock place(semaphore);
        if (++inside > 3) ++too_many;
        if (round % 10 == 0) std::this_thread::yield();
        --inside;
      }
    });
  }
  this->finish();
  EXPECT_EQ(too_many.load(), 0);
  EXPECT_EQ(semaphore.value(), 3);
}

REGISTER_TYPED_TEST_SUITE_P(AnySemaphore, ACountBelowZeroIsRefused, HasOnePlaceUnlessToldOtherwise,
                            HasAsManyPlacesAsItWasToldAndNoMore, MayBeDestroyedWhileTaken,
                            TryAcquireTakesWhatIsFree, AmongManyWhoTryAsManyGetItAsThereArePlaces,
                            EachReleaseLetsOneMorePass, ServesTheLongestWaiterFirst,
                            APlaceThatSomebodyWaitsForCannotBeSnatched,
                            ReleaseOfSeveralLetsAsManyPass, ReleaseOfLessThanOneIsRefused,
                            TimedAcquireGivesUpNotBeforeItsTime, TimeoutsThatAreOverPoll,
                            BadTimeoutsAreRefused, HugeTimeoutsWaitForever,
                            AWaiterThatGaveUpLosesNoPlace, FitsTheGuardsOfStd,
                            NeverLetsMoreInThanItHasPlaces);

// --- what sets the two apart ---------------------------------------------------------------------

template <typename Flavour>
class SemaphoreLimit : public Stage<Flavour> {};

TYPED_TEST_SUITE_P(SemaphoreLimit);

TYPED_TEST_P(SemaphoreLimit, AnUnboundedOneMayBeReleasedBeyondItsInitialValue) {
  auto& semaphore = this->template make<typename TypeParam::Semaphore>(1);
  semaphore.release();
  semaphore.release(3);
  EXPECT_EQ(semaphore.value(), 5);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(semaphore.acquire(false));
  EXPECT_FALSE(semaphore.acquire(false));
}

TYPED_TEST_P(SemaphoreLimit, AnUnboundedOneEndsAtTheLargestInt) {
  constexpr int largest = std::numeric_limits<int>::max();
  auto& semaphore = this->template make<typename TypeParam::Semaphore>(largest);
  const std::string address = address_of(&semaphore);
  EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(); }, {address, "MainThread"}));
  semaphore.acquire();
  EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(2); }, {address}));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(largest); }, {address}));
  EXPECT_EQ(semaphore.value(), largest - 1);
  semaphore.release();
  EXPECT_EQ(semaphore.value(), largest);
}

TYPED_TEST_P(SemaphoreLimit, ABoundedOneRefusesToPassItsInitialValueAndChangesNothing) {
  for (const int initial : {0, 1, 2, 9}) {
    auto& semaphore = this->template make<typename TypeParam::BoundedSemaphore>(initial);
    const std::string address = address_of(&semaphore);
    EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(); }, {address, "MainThread"}));
    EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.unlock(); }, {address}));
    EXPECT_TRUE(throws<tutti::ValueError>(
        [&] { semaphore.release(std::numeric_limits<int>::max()); }, {address}));
    EXPECT_EQ(semaphore.value(), initial);
    for (int i = 0; i < initial; ++i) semaphore.acquire();
    EXPECT_FALSE(semaphore.acquire(false));
    EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(initial + 1); }, {address}));
    EXPECT_EQ(semaphore.value(), 0) << "no part of a refused release may be done";
    if (initial > 0) semaphore.release(initial);
    EXPECT_EQ(semaphore.value(), initial);
  }
}

TYPED_TEST_P(SemaphoreLimit, ABoundedOneIsBoundedForAllThreadsTogether) {
  for (int limit = 1; limit < 6; ++limit) {
    auto& semaphore = this->template make<typename TypeParam::BoundedSemaphore>(limit);
    for (int i = 0; i < limit; ++i) this->start([&semaphore] { semaphore.acquire(); });
    this->finish();
    for (int i = 0; i < limit; ++i) this->start([&semaphore] { semaphore.release(); });
    this->finish();
    EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(); }));
    EXPECT_EQ(semaphore.value(), limit);
  }
}

REGISTER_TYPED_TEST_SUITE_P(SemaphoreLimit, AnUnboundedOneMayBeReleasedBeyondItsInitialValue,
                            AnUnboundedOneEndsAtTheLargestInt,
                            ABoundedOneRefusesToPassItsInitialValueAndChangesNothing,
                            ABoundedOneIsBoundedForAllThreadsTogether);

}  // namespace tests
