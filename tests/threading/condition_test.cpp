// threading::Condition, with each kind of lock; it is a lock itself as well.
#include "tutti/threading/condition.h"

#include <gtest/gtest.h>

#include "suites/condition_suite.h"
#include "suites/lock_suite.h"
#include "suites/predicate_suite.h"
#include "suites/rlock_suite.h"

namespace tests {

using ConditionCases =
    testing::Types<WithItsOwnLock<Threads>, OverALock<Threads>, OverAnRLock<Threads>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, Condition, ConditionCases, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, ConditionWaitFor, ConditionCases, CaseName);

struct SharedByLock : CaseIn<Threads> {
  using Lock = Threads::Lock;
  static constexpr const char* name = "Lock";
};
struct SharedByRLock : CaseIn<Threads> {
  using Lock = Threads::RLock;
  static constexpr const char* name = "RLock";
};
using SharedCases = testing::Types<SharedByLock, SharedByRLock>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, SharedLock, SharedCases, CaseName);

struct ConditionAsLock : CaseIn<Threads> {
  using Lock = Threads::Condition;
  static constexpr const char* name = "Condition";
};
using AsLock = testing::Types<ConditionAsLock>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, AnyLock, AsLock, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, RecursiveLock, AsLock, CaseName);

// A condition whose Lock was released by another thread than the one that took it.
class ConditionOverASignal : public Stage<Threads> {
 protected:
  ConditionOverASignal() {
    lock.acquire();
    start([this] { lock.release(); }).join();
  }

  tutti::threading::Lock lock;
  tutti::threading::Condition condition{lock};
  Journal<int> woken;
};

TEST_F(ConditionOverASignal, WaitsAndNotifiesAsAnyOther) {
  for (int i = 1; i <= 3; ++i) {
    start_into_wait_pool([this, i] {
      const std::scoped_lock held(condition);
      condition.wait();
      woken.add(i);
    });
  }
  {
    const std::scoped_lock held(condition);
    condition.notify(2);
  }
  until([&] { return woken.size() == 2; });
  {
    const std::scoped_lock held(condition);
    condition.notify_all();
  }
  finish();
  EXPECT_EQ(woken.entries(), (std::vector<int>{1, 2, 3}));
}

TEST_F(ConditionOverASignal, MayBeNotifiedOnBehalfOfItsHolder) {
  start_into_wait_pool([this] {
    const std::scoped_lock held(condition);
    condition.wait();
    woken.add(1);
  });
  lock.acquire();
  start([this] { condition.notify(); }).join();
  EXPECT_EQ(woken.size(), 0u);
  lock.release();
  finish();
  EXPECT_EQ(woken.size(), 1u);
}

TEST(ConditionOfThreads, IsSmallAndReadyBeforeMain) {
  EXPECT_LE(sizeof(tutti::threading::Condition), 32u);
  static constinit tutti::threading::Condition condition;
  const std::scoped_lock held(condition);
  EXPECT_FALSE(condition.wait(0));
  condition.notifyAll();
}

}  // namespace tests
