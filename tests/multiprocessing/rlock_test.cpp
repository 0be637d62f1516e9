// multiprocessing::RLock: the suites for any lock and for recursive ones.
#include "tutti/multiprocessing/rlock.h"

#include <gtest/gtest.h>

#include "multiprocessing/flavours.h"
#include "suites/lock_suite.h"
#include "suites/rlock_suite.h"
#include "support/throws.h"
#include "tutti/errors.h"

namespace tests {

template <typename Flavour>
struct SharedRLockIn : CaseIn<Flavour> {
  using Lock = typename Flavour::RLock;
  static constexpr const char* name = Flavour::name;
};
using SharedRLockCases = testing::Types<SharedRLockIn<AmongThreads>, SharedRLockIn<AmongProcesses>>;
INSTANTIATE_TYPED_TEST_SUITE_P(MultiprocessingR, AnyLock, SharedRLockCases, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(MultiprocessingR, RecursiveLock, SharedRLockCases, CaseName);

using tutti::multiprocessing::RLock;

TEST(MultiprocessingRLock, HeldByTheForkingThreadItIsNotTheChilds) {
  RLock lock;
  lock.acquire();
  Forked child([&] {
    if (lock.acquire(false)) throw tutti::RuntimeError("acquired");
    if (!throws<tutti::RuntimeError>([&] { lock.release(); }))
      throw tutti::RuntimeError("released");
  });
  EXPECT_EQ(child.join(), 0);
  lock.release();
}

TEST(MultiprocessingRLock, RecoveredItIsHeldOnce) {
  RLock lock;
  EXPECT_EQ(Forked([&] {
              for (int i = 0; i < 3; ++i) lock.acquire();
            }).join(),
            0);
  EXPECT_TRUE(throws<tutti::OwnerDiedError>([&] { lock.acquire(); }, {"recover()"}));
  EXPECT_TRUE(lock.recover());
  lock.release();
  EXPECT_FALSE(lock.locked());
}

}  // namespace tests
