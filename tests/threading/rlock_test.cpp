// threading::RLock: the suites for any lock and for recursive ones.
#include "tutti/threading/rlock.h"

#include <gtest/gtest.h>

#include "suites/lock_suite.h"
#include "suites/rlock_suite.h"

namespace tests {

template <typename Flavour>
struct RLockIn : CaseIn<Flavour> {
  using Lock = typename Flavour::RLock;
  static constexpr const char* name = "RLock";
};

using RLockCases = testing::Types<RLockIn<Threads>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, AnyLock, RLockCases, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, RecursiveLock, RLockCases, CaseName);

TEST(RLock, IsSmallAndReadyBeforeMain) {
  EXPECT_LE(sizeof(tutti::threading::RLock), 12u);
  static constinit tutti::threading::RLock lock;
  const std::scoped_lock once(lock);
  EXPECT_TRUE(lock.acquire(false));
  lock.release();
}

TEST(RLock, NamesItselfInItsErrors) {
  tutti::threading::RLock lock;
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { lock.release(); }, {address_of(&lock)}));
}

}  // namespace tests
