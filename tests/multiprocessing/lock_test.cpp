// multiprocessing::Lock: the suites of any lock, and what owners that die leave behind.
#include "tutti/multiprocessing/lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "multiprocessing/flavours.h"
#include "suites/lock_suite.h"
#include "suites/plain_lock_suite.h"
#include "support/stepped.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/errors.h"

namespace tests {

template <typename Flavour>
struct SharedLockIn : CaseIn<Flavour> {
  using Lock = typename Flavour::Lock;
  static constexpr const char* name = Flavour::name;
};
using SharedLockCases = testing::Types<SharedLockIn<AmongThreads>, SharedLockIn<AmongProcesses>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Multiprocessing, AnyLock, SharedLockCases, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(Multiprocessing, PlainLock, SharedLockCases, CaseName);

using tutti::OwnerDiedError;
using tutti::multiprocessing::Lock;

TEST(MultiprocessingLock, CopiesAreTheSameLock) {
  Lock lock("accounts");
  Lock copy = lock;
  copy.acquire();
  EXPECT_TRUE(lock.locked());
  EXPECT_EQ(copy.name(), "accounts");
  lock.release();
  EXPECT_FALSE(copy.locked());
}

TEST(MultiprocessingLock, LockedTwiceByItsOwnerIsADeadlock) {
  Lock lock;
  const std::scoped_lock held(lock);
  EXPECT_TRUE(throws<tutti::DeadlockError>([&] { lock.lock(); }, {address_of(&lock), "RLock"}));
}

TEST(MultiprocessingLock, BreaksWhenItsOwnerDiesUntilItIsRecovered) {
  Lock lock("accounts");
  const auto has_lock = make_shared_with_children<std::atomic<bool>>(false);
  Forked owner([&] {
    lock.acquire();
    *has_lock = true;
    pause();
  });
  until([&] { return has_lock->load(); });
  owner.kill();
  const std::string process = "process " + std::to_string(owner.pid());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(throws<OwnerDiedError>([&] { lock.acquire(); },
                                       {"Lock 'accounts'", "'MainThread'", process, "recover()"}));
    EXPECT_TRUE(throws<OwnerDiedError>([&] { lock.acquire(false); }, {process}));
    EXPECT_TRUE(throws<OwnerDiedError>([&] { lock.acquire(0.001); }, {process}));
  }
  Forked other([&] {
    if (throws<OwnerDiedError>([&] { lock.acquire(); }, {process})) _exit(7);
  });
  EXPECT_EQ(other.join(), 7) << "others are told, too";
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.recover());
  EXPECT_TRUE(lock.locked());
  EXPECT_FALSE(lock.acquire(false)) << "held by who has recovered it";
  lock.release();
  EXPECT_TRUE(lock.acquire(false));
  lock.release();
  EXPECT_FALSE(lock.recover()) << "there is nothing to repair any more";
  lock.release();
}

TEST(MultiprocessingLock, BreaksForThoseWhoWaitWhenItsOwnerDies) {
  Lock lock;
  const auto has_lock = make_shared_with_children<std::atomic<bool>>(false);
  Forked owner([&] {
    lock.acquire();
    *has_lock = true;
    pause();
  });
  until([&] { return has_lock->load(); });
  ProcessWorker waiter([&] { lock.acquire(); });
  until([&] { return waiter.phase() == Phase::blocked_in_lock_pool; });
  owner.kill();
  waiter.join();
  EXPECT_NE(waiter.failure().find("recover()"), std::string::npos) << waiter.failure();
}

TEST(MultiprocessingLock, OfAChildThatJustEndsIsBrokenAsWell) {
  Lock lock;
  EXPECT_EQ(Forked([&] { lock.acquire(); }).join(), 0);
  EXPECT_TRUE(throws<OwnerDiedError>([&] { lock.lock(); }));
  EXPECT_TRUE(lock.recover());
  lock.release();
}

// At each instruction, either the lock is whole, or broken and told so; and recovered it is whole.
TEST(MultiprocessingLock, SurvivesAUserKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  int broken = 0;
  for_each_cut(1, [&](std::size_t steps) {
    Lock lock;
    lock.acquire();
    lock.release();  // So that the child finds all functions linked.
    const Cut cut = cut_short([] {},
                              [&] {
                                lock.acquire();
                                lock.release();
                              },
                              steps);
    try {
      lock.acquire();
    } catch (const OwnerDiedError&) {
      ++broken;
      EXPECT_TRUE(lock.recover());
    }
    EXPECT_FALSE(lock.acquire(false));
    lock.release();
    return cut;
  });
  EXPECT_GT(broken, 0);
}

// The one who finds out that the owner is dead is killed, too.
TEST(MultiprocessingLock, SurvivesAnHeirKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(11, [&](std::size_t steps) {
    Lock lock;
    EXPECT_EQ(Forked([&] { lock.acquire(); }).join(), 0);
    const Cut cut = cut_short([] {},
                              [&] {
                                lock.recover();
                                lock.release();
                              },
                              steps);
    EXPECT_TRUE(!lock.recover() || !cut.has_finished);
    lock.release();
    EXPECT_TRUE(lock.acquire(false));
    return cut;
  });
}

}  // namespace tests
