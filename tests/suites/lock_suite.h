// What holds for everything that can be acquired by one thread at a time: Lock, RLock, Condition.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "suites/stage.h"

namespace tests {

/// `Case` names a Flavour and the Lock to test, and has a name.
template <typename Case>
class AnyLock : public Stage<typename Case::Flavour> {
 protected:
  /// Whether a worker can take the lock at this moment.
  bool is_free() {
    auto& taken = this->template make<Journal<bool>>();
    this->start([&lock = lock_, &taken] {
          const bool got_it = lock.acquire(false);
          if (got_it) lock.release();
          taken.add(got_it);
        })
        .join();
    return taken.entries().front();
  }

  typename Case::Lock& lock_ = this->template make<typename Case::Lock>();
};

TYPED_TEST_SUITE_P(AnyLock);

TYPED_TEST_P(AnyLock, IsFreeWhenMade) {
  EXPECT_FALSE(this->lock_.locked());
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(AnyLock, AcquireTakesItAndReleaseFreesIt) {
  for (int round = 0; round < 3; ++round) {
    this->lock_.acquire();
    EXPECT_TRUE(this->lock_.locked());
    EXPECT_FALSE(this->is_free());
    this->lock_.release();
    EXPECT_FALSE(this->lock_.locked());
    EXPECT_TRUE(this->is_free());
  }
}

TYPED_TEST_P(AnyLock, MayBeDestroyedWhileHeld) {
  this->template make<typename TypeParam::Lock>().acquire();
}

TYPED_TEST_P(AnyLock, TryAcquireTakesAFreeLockOnly) {
  EXPECT_TRUE(this->lock_.acquire(false));
  EXPECT_FALSE(this->is_free());
  this->lock_.release();
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(AnyLock, BlockingAcquireReturnsTrue) {
  EXPECT_TRUE(this->lock_.acquire(true));
  this->lock_.release();
  EXPECT_TRUE(this->lock_.acquire(true, 1.0));
  this->lock_.release();
}

TYPED_TEST_P(AnyLock, NobodyPassesBeforeTheRelease) {
  constexpr int workers = 5;
  auto& passed = this->template make<Journal<int>>();
  this->lock_.acquire();
  for (int i = 0; i < workers; ++i) {
    this->start_into_lock_pool([&lock = this->lock_, &passed, i] {
      lock.acquire();
      passed.add(i);
      lock.release();
    });
  }
  EXPECT_EQ(passed.size(), 0u);
  this->lock_.release();
  this->finish();
  EXPECT_EQ(passed.size(), 5u);
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(AnyLock, ExcludesWorkersFromEachOther) {
  constexpr int workers = 4;
  constexpr int rounds = 2000;
  auto& counter = this->template make<int>(0);
  for (int i = 0; i < workers; ++i) {
    this->start([&lock = this->lock_, &counter] {
      for (int round = 0; round < rounds; ++round) {
        lock.acquire();
        ++counter;
        lock.release();
      }
    });
  }
  this->finish();
  EXPECT_EQ(counter, workers * rounds);
}

TYPED_TEST_P(AnyLock, TimedAcquireTakesAFreeLockAtOnce) {
  EXPECT_TRUE(this->lock_.acquire(tutti::Timeout(1e6)));
  EXPECT_FALSE(this->is_free());
  this->lock_.release();
}

TYPED_TEST_P(AnyLock, TimedAcquireGivesUpNotBeforeItsTime) {
  using namespace std::chrono_literals;
  auto& results = this->template make<Journal<bool>>();
  auto& times = this->template make<Journal<std::chrono::nanoseconds>>();
  this->lock_.acquire();
  for (int i = 0; i < 3; ++i) {
    this->start([&lock = this->lock_, &results, &times] {
      times.add(time_of([&] { results.add(lock.acquire(30ms)); }));
    });
  }
  this->finish();
  EXPECT_EQ(results.count(false), 3u);
  for (const auto time : times.entries()) EXPECT_GE(time, 30ms);
  this->lock_.release();
}

TYPED_TEST_P(AnyLock, ATimeoutOfZeroPolls) {
  EXPECT_TRUE(this->lock_.acquire(tutti::Timeout(0)));
  auto& results = this->template make<Journal<bool>>();
  this->start([&lock = this->lock_, &results] { results.add(lock.acquire(tutti::Timeout(0))); });
  this->finish();
  EXPECT_EQ(results.entries(), std::vector<bool>{false});
  this->lock_.release();
}

TYPED_TEST_P(AnyLock, TimedAcquireTakesALockThatIsReleasedInTime) {
  auto& results = this->template make<Journal<bool>>();
  this->lock_.acquire();
  this->start_into_lock_pool([&lock = this->lock_, &results] {
    results.add(lock.acquire(std::chrono::hours(1)));
    lock.release();
  });
  this->lock_.release();
  this->finish();
  EXPECT_EQ(results.entries(), std::vector<bool>{true});
}

TYPED_TEST_P(AnyLock, WaitersThatGaveUpLeaveNoTrace) {
  auto& given_up = this->template make<Journal<bool>>();
  auto& passed = this->template make<Journal<int>>();
  this->lock_.acquire();
  for (int i = 0; i < 3; ++i) {
    this->start([&lock = this->lock_, &given_up] {
      given_up.add(!lock.acquire(std::chrono::milliseconds(10)));
    });
  }
  this->start_into_lock_pool([&lock = this->lock_, &passed] {
    lock.acquire();
    passed.add(1);
    lock.release();
  });
  until([&] { return given_up.size() == 3; });
  EXPECT_EQ(given_up.count(true), 3u);
  EXPECT_EQ(passed.size(), 0u);
  this->lock_.release();
  this->finish();
  EXPECT_EQ(passed.size(), 1u);
  EXPECT_FALSE(this->lock_.locked());
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(AnyLock, AHeldLockIsFreeAfterALastWaiterGaveUp) {
  using namespace std::chrono_literals;
  auto& results = this->template make<Journal<bool>>();
  this->lock_.acquire();
  this->start([&lock = this->lock_, &results] { results.add(lock.acquire(1ms)); });
  this->finish();
  this->lock_.release();
  EXPECT_EQ(results.entries(), std::vector<bool>{false});
  EXPECT_FALSE(this->lock_.locked());
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(AnyLock, ATimeoutMayBeAnyNumberButANakedInt) {
  using Lock = typename TypeParam::Lock;
  const auto takes = [](auto timeout) {
    return requires(Lock & lock) {
      lock.acquire(timeout);
    };
  };
  EXPECT_TRUE(takes(0.5));
  EXPECT_TRUE(takes(0.5f));
  EXPECT_TRUE(takes(std::chrono::seconds(1)));
  EXPECT_TRUE(takes(tutti::Timeout(1)));
  EXPECT_TRUE(takes(tutti::forever));
  EXPECT_TRUE(takes(true));
  EXPECT_FALSE(takes(1)) << "reads as a bool in Python, as a second in C++";
}

TYPED_TEST_P(AnyLock, NegativeTimeoutsAreRefusedExceptMinusOne) {
  auto& lock = this->lock_;
  for (const double seconds : {-0.5, -1.5, -2.0, -100.0, -1e300}) {
    EXPECT_TRUE(
        throws<tutti::ValueError>([&] { lock.acquire(tutti::Timeout(seconds)); }, {"MainThread"}))
        << seconds;
    EXPECT_TRUE(throws<tutti::ValueError>([&] { lock.acquire(true, seconds); })) << seconds;
  }
  EXPECT_TRUE(throws<tutti::ValueError>([&] { lock.acquire(std::chrono::nanoseconds(-1)); }));
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(true, -1));
  lock.release();
  EXPECT_TRUE(lock.acquire(std::chrono::seconds(-1)));
  lock.release();
}

TYPED_TEST_P(AnyLock, MinusOneWaitsWithoutLimit) {
  auto& results = this->template make<Journal<bool>>();
  this->lock_.acquire();
  this->start_into_lock_pool([&lock = this->lock_, &results] {
    results.add(lock.acquire(true, -1));
    lock.release();
  });
  EXPECT_EQ(results.size(), 0u);
  this->lock_.release();
  this->finish();
  EXPECT_EQ(results.entries(), std::vector<bool>{true});
}

TYPED_TEST_P(AnyLock, ATimeoutOfACallThatDoesNotBlockIsRefused) {
  auto& lock = this->lock_;
  for (const double seconds : {0.0, 0.5, 1.0, -2.0}) {
    EXPECT_TRUE(throws<tutti::ValueError>([&] { lock.acquire(false, seconds); }, {"MainThread"}))
        << seconds;
  }
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(false, -1)) << "-1 is no timeout";
  lock.release();
  EXPECT_TRUE(lock.acquire(false, tutti::forever));
  lock.release();
}

TYPED_TEST_P(AnyLock, NaNIsRefused) {
  auto& lock = this->lock_;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(throws<tutti::ValueError>([&] { lock.acquire(tutti::Timeout(nan)); }));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { lock.acquire(true, nan); }));
  EXPECT_TRUE(
      throws<tutti::ValueError>([&] { lock.try_lock_for(std::chrono::duration<double>(nan)); }));
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST_P(AnyLock, HugeTimeoutsWaitForever) {
  using Days = std::chrono::duration<double, std::ratio<86400>>;
  auto& results = this->template make<Journal<bool>>();
  this->lock_.acquire();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const tutti::Timeout timeout :
       {tutti::Timeout(infinity), tutti::Timeout(1e300), tutti::Timeout(Days(1e6)),
        tutti::Timeout(tutti::threading::TIMEOUT_MAX), tutti::Timeout(std::nullopt),
        tutti::Timeout(std::chrono::hours::max())}) {
    this->start_into_lock_pool([&lock = this->lock_, &results, timeout] {
      results.add(lock.acquire(timeout));
      lock.release();
    });
  }
  EXPECT_EQ(results.size(), 0u);
  this->lock_.release();
  this->finish();
  EXPECT_EQ(results.count(true), 6u);
}

TYPED_TEST_P(AnyLock, ATimeoutOfANanosecondEnds) {
  auto& results = this->template make<Journal<bool>>();
  this->lock_.acquire();
  this->start([&lock = this->lock_, &results] {
    results.add(lock.acquire(std::chrono::nanoseconds(1)));
    results.add(lock.acquire(tutti::Timeout(1e-12)));
  });
  this->finish();
  EXPECT_EQ(results.count(false), 2u);
  this->lock_.release();
}

TYPED_TEST_P(AnyLock, LockGuardHoldsItForItsScope) {
  {
    const std::lock_guard held(this->lock_);
    EXPECT_TRUE(this->lock_.locked());
    EXPECT_FALSE(this->is_free());
  }
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(AnyLock, AnExceptionThatLeavesTheScopeFreesIt) {
  try {
    const std::scoped_lock held(this->lock_);
    throw std::logic_error("leave");
  } catch (const std::logic_error&) {
    EXPECT_FALSE(this->lock_.locked());
  }
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(AnyLock, UniqueLockTriesAndWaitsForATime) {
  using namespace std::chrono_literals;
  using Held = std::unique_lock<typename TypeParam::Lock>;
  EXPECT_TRUE(Held(this->lock_, std::try_to_lock).owns_lock());
  EXPECT_TRUE(Held(this->lock_, 1h).owns_lock());
  EXPECT_TRUE(Held(this->lock_, SteadyClock::now() + 1h).owns_lock());
  EXPECT_TRUE(Held(this->lock_, SteadyClock::now() - 1h).owns_lock()) << "free: no need to wait";
  EXPECT_TRUE(Held(this->lock_, -1h).owns_lock()) << "std has a negative duration poll";

  auto& results = this->template make<Journal<bool>>();
  auto& times = this->template make<Journal<std::chrono::nanoseconds>>();
  this->lock_.acquire();
  this->start([&lock = this->lock_, &results, &times] {
    Held held(lock, std::defer_lock);
    results.add(held.try_lock());
    results.add(held.try_lock_for(-1s));
    results.add(held.try_lock_until(SteadyClock::now() - 1s));
    times.add(time_of([&] { results.add(held.try_lock_for(20ms)); }));
    times.add(time_of([&] { results.add(held.try_lock_until(SteadyClock::now() + 20ms)); }));
    const auto end = std::chrono::system_clock::now() + 20ms;
    results.add(held.try_lock_until(end));
    if (std::chrono::system_clock::now() < end) results.add(true);
  });
  this->finish();
  EXPECT_EQ(results.entries(), std::vector<bool>(6, false));
  for (const auto time : times.entries()) EXPECT_GE(time, 20ms);
  this->lock_.release();
}

TYPED_TEST_P(AnyLock, ScopedLockTakesTwoInAnyOrder) {
  auto& other = this->template make<typename TypeParam::Lock>();
  auto& counter = this->template make<int>(0);
  constexpr int rounds = 500;
  this->start([&a = this->lock_, &b = other, &counter] {
    for (int i = 0; i < rounds; ++i) {
      const std::scoped_lock held(a, b);
      ++counter;
    }
  });
  this->start([&a = this->lock_, &b = other, &counter] {
    for (int i = 0; i < rounds; ++i) {
      const std::scoped_lock held(b, a);
      ++counter;
    }
  });
  this->finish();
  EXPECT_EQ(counter, 2 * rounds);
  EXPECT_FALSE(other.locked());
}

TYPED_TEST_P(AnyLock, AMeekThreadGetsItsTurnAmongGreedyOnes) {
  auto& turns = this->template make<std::atomic<int>>(0);
  constexpr int wanted = 20;
  for (int i = 0; i < 3; ++i) {
    this->start([&lock = this->lock_, &turns] {
      while (turns.load() < wanted) {
        lock.acquire();
        be_busy_for(std::chrono::microseconds(50));
        lock.release();
      }
    });
  }
  this->start([&lock = this->lock_, &turns] {
    while (turns.load() < wanted) {
      lock.acquire();
      ++turns;
      lock.release();
      std::this_thread::yield();
    }
  });
  this->finish();
  EXPECT_EQ(turns.load(), wanted);
}

REGISTER_TYPED_TEST_SUITE_P(AnyLock, IsFreeWhenMade, AcquireTakesItAndReleaseFreesIt,
                            MayBeDestroyedWhileHeld, TryAcquireTakesAFreeLockOnly,
                            BlockingAcquireReturnsTrue, NobodyPassesBeforeTheRelease,
                            ExcludesWorkersFromEachOther, TimedAcquireTakesAFreeLockAtOnce,
                            TimedAcquireGivesUpNotBeforeItsTime, ATimeoutOfZeroPolls,
                            TimedAcquireTakesALockThatIsReleasedInTime,
                            WaitersThatGaveUpLeaveNoTrace, AHeldLockIsFreeAfterALastWaiterGaveUp,
                            ATimeoutMayBeAnyNumberButANakedInt,
                            NegativeTimeoutsAreRefusedExceptMinusOne, MinusOneWaitsWithoutLimit,
                            ATimeoutOfACallThatDoesNotBlockIsRefused, NaNIsRefused,
                            HugeTimeoutsWaitForever, ATimeoutOfANanosecondEnds,
                            LockGuardHoldsItForItsScope, AnExceptionThatLeavesTheScopeFreesIt,
                            UniqueLockTriesAndWaitsForATime, ScopedLockTakesTwoInAnyOrder,
                            AMeekThreadGetsItsTurnAmongGreedyOnes);

}  // namespace tests
