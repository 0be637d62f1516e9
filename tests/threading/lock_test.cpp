// threading::Lock: the suite for any lock, and what is a Lock's own.
#include "tutti/threading/lock.h"

#include <gtest/gtest.h>

#include "suites/lock_suite.h"
#include "suites/plain_lock_suite.h"
#include "support/sanitizer.h"

namespace tests {

template <typename Flavour>
struct LockIn : CaseIn<Flavour> {
  using Lock = typename Flavour::Lock;
  static constexpr const char* name = "Lock";
};

using LockCases = testing::Types<LockIn<Threads>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, AnyLock, LockCases, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, PlainLock, LockCases, CaseName);

TEST(Lock, FitsInFourBytesAndIsReadyBeforeMain) {
  EXPECT_EQ(sizeof(tutti::threading::Lock), 4u);
  static constinit tutti::threading::Lock lock;
  EXPECT_TRUE(lock.acquire(false));
  lock.release();
}

TEST(Lock, HasTheNamesOfPython2) {
  tutti::threading::Lock lock;
  lock.acquire_lock();
  EXPECT_TRUE(lock.locked_lock());
  EXPECT_FALSE(lock.acquire_lock(false));
  lock.release_lock();
  EXPECT_FALSE(lock.locked_lock());
}

TEST(Lock, TakenTwiceByTheOnlyThreadIsADeadlock) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it has a thread of its own";
  tutti::threading::Lock lock;
  lock.acquire();
  const std::string address = address_of(&lock);
  EXPECT_TRUE(throws<tutti::DeadlockError>([&] { lock.acquire(); }, {address, "MainThread"}));
  EXPECT_TRUE(throws<tutti::DeadlockError>([&] { lock.acquire(true, -1); }, {address}));
  EXPECT_TRUE(throws<tutti::DeadlockError>([&] { lock.lock(); }, {address}));
  EXPECT_TRUE(lock.locked()) << "the first acquire still counts";
  lock.release();
  EXPECT_FALSE(lock.locked());
}

}  // namespace tests
