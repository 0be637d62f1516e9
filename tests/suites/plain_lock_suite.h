// What holds for a Lock alone: it is not recursive, and another thread may release it.
#pragma once

#include <gtest/gtest.h>

#include "suites/stage.h"

namespace tests {

template <typename Case>
class PlainLock : public Stage<typename Case::Flavour> {
 protected:
  /// Makes the lock a signal: acquired by the test, released by a worker.
  void release_elsewhere() {
    this->start([&lock = lock_] { lock.release(); }).join();
  }

  typename Case::Lock& lock_ = this->template make<typename Case::Lock>();
};

TYPED_TEST_SUITE_P(PlainLock);

TYPED_TEST_P(PlainLock, ReleasingAFreeOneIsAnError) {
  auto& lock = this->lock_;
  const std::string address = address_of(&lock);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { lock.release(); }, {address, "MainThread"}));
  lock.acquire();
  lock.release();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { lock.release(); }, {address}));
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(false)) << "the error must have changed nothing";
  lock.release();
}

TYPED_TEST_P(PlainLock, ItsOwnerCannotTakeItTwice) {
  auto& lock = this->lock_;
  lock.acquire();
  EXPECT_FALSE(lock.acquire(false));
  EXPECT_FALSE(lock.acquire(std::chrono::milliseconds(5)));
  EXPECT_FALSE(lock.try_lock());
  lock.release();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(false));
  lock.release();
}

TYPED_TEST_P(PlainLock, ItsOwnerWaitsUntilAnotherThreadReleasesIt) {
  auto& lock = this->lock_;
  auto& steps = this->template make<Journal<int>>();
  this->start_into_lock_pool([&lock, &steps] {
    lock.acquire();
    steps.add(1);
    lock.acquire();
    steps.add(2);
    lock.release();
  });
  EXPECT_EQ(steps.entries(), std::vector<int>{1});
  lock.release();
  this->finish();
  EXPECT_EQ(steps.entries(), (std::vector<int>{1, 2}));
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST_P(PlainLock, AnotherThreadMayReleaseIt) {
  auto& lock = this->lock_;
  for (int round = 0; round < 3; ++round) {
    lock.acquire();
    this->release_elsewhere();
    EXPECT_FALSE(lock.locked());
  }
  EXPECT_TRUE(lock.acquire(false));
  EXPECT_FALSE(lock.acquire(false));
  lock.release();
}

TYPED_TEST_P(PlainLock, ReleasedElsewhereItStillExcludes) {
  auto& lock = this->lock_;
  lock.acquire();
  this->release_elsewhere();
  auto& counter = this->template make<int>(0);
  constexpr int rounds = 2000;
  for (int i = 0; i < 4; ++i) {
    this->start([&lock, &counter] {
      for (int round = 0; round < rounds; ++round) {
        lock.acquire();
        ++counter;
        lock.release();
      }
    });
  }
  this->finish();
  EXPECT_EQ(counter, 4 * rounds);
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST_P(PlainLock, ReleasedElsewhereItsMisuseIsStillAnError) {
  auto& lock = this->lock_;
  lock.acquire();
  this->release_elsewhere();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { lock.release(); }, {address_of(&lock)}));
  EXPECT_TRUE(lock.acquire(false));
  lock.release();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { lock.release(); }, {address_of(&lock)}));
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST_P(PlainLock, ReleasedElsewhereWhileOthersWaitItGoesToOneOfThem) {
  auto& lock = this->lock_;
  auto& passed = this->template make<Journal<int>>();
  lock.acquire();
  for (int i = 0; i < 4; ++i) {
    this->start_into_lock_pool([&lock, &passed, i] {
      lock.acquire();
      passed.add(i);
    });
  }
  for (std::size_t released = 1; released <= 4; ++released) {
    this->start([&lock] { lock.release(); });
    until([&] { return passed.size() >= released; });
    EXPECT_EQ(passed.size(), released);
    EXPECT_TRUE(lock.locked());
  }
  lock.release();
  this->finish();
  EXPECT_FALSE(lock.locked());
}

TYPED_TEST_P(PlainLock, TwoOfThemPassATurnToAndFro) {
  auto& mine = this->lock_;
  auto& yours = this->template make<typename TypeParam::Lock>();
  auto& turns = this->template make<Journal<int>>();
  constexpr int rounds = 300;
  mine.acquire();
  yours.acquire();
  this->start([&mine, &yours, &turns] {
    for (int i = 0; i < rounds; ++i) {
      yours.acquire();
      turns.add(2);
      mine.release();
    }
  });
  this->start([&mine, &yours, &turns] {
    for (int i = 0; i < rounds; ++i) {
      turns.add(1);
      yours.release();
      mine.acquire();
    }
  });
  this->finish();
  std::vector<int> expected;
  for (int i = 0; i < rounds; ++i) expected.insert(expected.end(), {1, 2});
  EXPECT_EQ(turns.entries(), expected);
}

REGISTER_TYPED_TEST_SUITE_P(PlainLock, ReleasingAFreeOneIsAnError, ItsOwnerCannotTakeItTwice,
                            ItsOwnerWaitsUntilAnotherThreadReleasesIt, AnotherThreadMayReleaseIt,
                            ReleasedElsewhereItStillExcludes,
                            ReleasedElsewhereItsMisuseIsStillAnError,
                            ReleasedElsewhereWhileOthersWaitItGoesToOneOfThem,
                            TwoOfThemPassATurnToAndFro);

}  // namespace tests
