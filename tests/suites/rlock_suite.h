// What holds for a recursive lock: an RLock, and a Condition that has one.
#pragma once

#include <gtest/gtest.h>

#include <mutex>

#include "suites/stage.h"

namespace tests {

template <typename Case>
class RecursiveLock : public Stage<typename Case::Flavour> {
 protected:
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

TYPED_TEST_SUITE_P(RecursiveLock);

TYPED_TEST_P(RecursiveLock, ItsOwnerMayTakeItAgain) {
  auto& lock = this->lock_;
  lock.acquire();
  EXPECT_TRUE(lock.acquire(true));
  EXPECT_TRUE(lock.acquire(false));
  EXPECT_TRUE(lock.acquire(std::chrono::milliseconds(1)));
  EXPECT_TRUE(lock.try_lock());
  for (int held = 5; held > 0; --held) {
    EXPECT_TRUE(lock.locked());
    EXPECT_FALSE(this->is_free()) << held;
    lock.release();
  }
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(RecursiveLock, GoesUpAndDownAgainWithinOneHold) {
  auto& lock = this->lock_;
  lock.acquire();
  lock.acquire();
  lock.release();
  lock.acquire();
  lock.release();
  EXPECT_FALSE(this->is_free());
  lock.release();
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(RecursiveLock, IsHeldAThousandfold) {
  auto& lock = this->lock_;
  constexpr int depth = 100'000;
  for (int i = 0; i < depth; ++i) lock.acquire();
  for (int i = 0; i < depth - 1; ++i) lock.release();
  EXPECT_FALSE(this->is_free());
  lock.release();
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(RecursiveLock, ReleasingAFreeOneIsAnError) {
  auto& lock = this->lock_;
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { lock.release(); }, {"MainThread"}));
  lock.acquire();
  lock.acquire();
  lock.release();
  lock.release();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { lock.release(); }, {"MainThread"}));
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(RecursiveLock, ReleasingTheLockOfAnotherThreadIsAnError) {
  auto& lock = this->lock_;
  auto& refused = this->template make<Journal<bool>>();
  lock.acquire();
  lock.acquire();
  this->start([&lock, &refused] {
    refused.add(bool{throws<tutti::RuntimeError>([&] { lock.release(); })});
  });
  this->finish();
  EXPECT_EQ(refused.entries(), std::vector<bool>{true});
  EXPECT_TRUE(lock.locked());
  lock.release();
  EXPECT_FALSE(this->is_free()) << "the error must have left the depth alone";
  lock.release();
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(RecursiveLock, OthersPassOnlyAfterTheLastRelease) {
  auto& lock = this->lock_;
  auto& passed = this->template make<Journal<int>>();
  lock.acquire();
  lock.acquire();
  for (int i = 0; i < 3; ++i) {
    this->start_into_lock_pool([&lock, &passed, i] {
      const std::scoped_lock once(lock);
      const std::scoped_lock twice(lock);
      passed.add(i);
    });
  }
  lock.release();
  EXPECT_EQ(passed.size(), 0u);
  EXPECT_FALSE(this->is_free());
  lock.release();
  this->finish();
  EXPECT_EQ(passed.size(), 3u);
}

TYPED_TEST_P(RecursiveLock, BadTimeoutsAreRefusedToItsOwnerToo) {
  auto& lock = this->lock_;
  lock.acquire();
  EXPECT_TRUE(throws<tutti::ValueError>([&] { lock.acquire(false, 1.0); }));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { lock.acquire(true, -2.0); }));
  lock.release();
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST_P(RecursiveLock, StepsOfOneHolderNeverMixWithAnothers) {
  auto& lock = this->lock_;
  auto& steps = this->template make<Journal<int>>();
  constexpr int rounds = 100;
  for (int i = 0; i < 3; ++i) {
    this->start([&lock, &steps, i] {
      for (int round = 0; round < rounds; ++round) {
        lock.acquire();
        steps.add(i);
        lock.acquire();
        steps.add(i);
        lock.release();
        steps.add(i);
        lock.release();
      }
    });
  }
  this->finish();
  const std::vector<int> all = steps.entries();
  ASSERT_EQ(all.size(), std::size_t{3 * 3 * rounds});
  for (std::size_t i = 0; i < all.size(); i += 3) {
    EXPECT_TRUE(all[i] == all[i + 1] && all[i] == all[i + 2]) << "at step " << i;
  }
}

REGISTER_TYPED_TEST_SUITE_P(RecursiveLock, ItsOwnerMayTakeItAgain, GoesUpAndDownAgainWithinOneHold,
                            IsHeldAThousandfold, ReleasingAFreeOneIsAnError,
                            ReleasingTheLockOfAnotherThreadIsAnError,
                            OthersPassOnlyAfterTheLastRelease, BadTimeoutsAreRefusedToItsOwnerToo,
                            StepsOfOneHolderNeverMixWithAnothers);

}  // namespace tests
