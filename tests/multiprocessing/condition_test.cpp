// multiprocessing::Condition: the suites, and what killed waiters and notifiers leave behind.
#include "tutti/multiprocessing/condition.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "multiprocessing/flavours.h"
#include "suites/condition_suite.h"
#include "suites/lock_suite.h"
#include "suites/predicate_suite.h"
#include "suites/rlock_suite.h"
#include "support/stepped.h"

namespace tests {

using ConditionsAmongThreads = testing::Types<WithItsOwnLock<AmongThreads>, OverALock<AmongThreads>,
                                              OverAnRLock<AmongThreads>>;
INSTANTIATE_TYPED_TEST_SUITE_P(AmongThreads, Condition, ConditionsAmongThreads, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(AmongThreads, ConditionWaitFor, ConditionsAmongThreads, CaseName);
using ConditionsAmongProcesses =
    testing::Types<WithItsOwnLock<AmongProcesses>, OverALock<AmongProcesses>,
                   OverAnRLock<AmongProcesses>>;
INSTANTIATE_TYPED_TEST_SUITE_P(AmongProcesses, Condition, ConditionsAmongProcesses, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(AmongProcesses, ConditionWaitFor, ConditionsAmongProcesses,
                               CaseName);

template <typename FlavourType>
struct SharedByLockIn : CaseIn<FlavourType> {
  using Lock = typename FlavourType::Lock;
  static constexpr const char* name = FlavourType::name;
};
using SharedByLocks = testing::Types<SharedByLockIn<AmongThreads>, SharedByLockIn<AmongProcesses>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Multiprocessing, SharedLock, SharedByLocks, CaseName);

template <typename FlavourType>
struct SharedConditionAsLock : CaseIn<FlavourType> {
  using Lock = typename FlavourType::Condition;
  static constexpr const char* name = FlavourType::name;
};
using SharedAsLocks =
    testing::Types<SharedConditionAsLock<AmongThreads>, SharedConditionAsLock<AmongProcesses>>;
INSTANTIATE_TYPED_TEST_SUITE_P(MultiprocessingCondition, AnyLock, SharedAsLocks, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(MultiprocessingCondition, RecursiveLock, SharedAsLocks, CaseName);

using SharedCondition = tutti::multiprocessing::Condition;
using SharedPlainLock = tutti::multiprocessing::Lock;

// A process that waits once; others wait behind it.
class ConditionOfKilled : public testing::Test {
 protected:
  // So that children find all functions linked: the steps until they are would be many.
  ConditionOfKilled() {
    const std::scoped_lock held(condition);
    condition.wait(std::chrono::microseconds(1));
    condition.notify();
  }

  void wait_once() {
    const std::scoped_lock held(condition);
    condition.wait();
    ++*woken;
  }
  std::unique_ptr<ProcessWorker> start_waiter() {
    auto worker = std::make_unique<ProcessWorker>([this] { wait_once(); });
    until([&] { return worker->phase() == Phase::blocked_in_wait_pool; });
    return worker;
  }
  void notify(int n) {
    const std::scoped_lock held(condition);
    condition.notify(n);
  }

  SharedCondition condition{SharedPlainLock()};
  std::shared_ptr<std::atomic<int>> woken = make_shared_with_children<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<int>> arrived = make_shared_with_children<std::atomic<int>>(0);
};

TEST_F(ConditionOfKilled, AKilledWaiterSwallowsNoNotification) {
  Forked first([&] {
    const std::scoped_lock held(condition);
    ++*arrived;
    condition.wait();
  });
  until([&] { return *arrived == 1; });
  const auto second = start_waiter();
  first.kill();
  notify(1);
  second->join();
  EXPECT_EQ(*woken, 1);
}

// The notified one is killed while it waits for the lock, which the notifier holds still.
TEST_F(ConditionOfKilled, AKilledOneThatWasNotifiedPassesItOn) {
  Forked first([&] {
    const std::scoped_lock held(condition);
    ++*arrived;
    condition.wait();
  });
  until([&] { return *arrived == 1; });
  const auto second = start_waiter();
  {
    const std::scoped_lock held(condition);
    condition.notify();
    first.kill();
  }
  second->join();
  EXPECT_EQ(*woken, 1);
}

TEST_F(ConditionOfKilled, WhoWaitsIsToldThatTheLockHasBroken) {
  const auto waiter = start_waiter();
  EXPECT_EQ(Forked([&] { condition.acquire(); }).join(), 0);
  waiter->join();
  EXPECT_NE(waiter->failure().find("recover()"), std::string::npos) << waiter->failure();
  EXPECT_TRUE(condition.recover());
  condition.release();
}

// However far it came, another waiter gets its notification: the killed one is out of the way.
TEST_F(ConditionOfKilled, OthersGoOnWhenAWaiterIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(31, [&](std::size_t steps) {
    SharedCondition shared{SharedPlainLock()};
    const Cut cut = cut_short([] {},
                              [&] {
                                const std::scoped_lock held(shared);
                                shared.wait(std::chrono::microseconds(300));
                              },
                              steps);
    shared.recover();
    shared.release();
    ProcessWorker waiter([&] {
      const std::scoped_lock held(shared);
      shared.wait();
    });
    until([&] { return waiter.phase() == Phase::blocked_in_wait_pool; });
    {
      const std::scoped_lock held(shared);
      shared.notify();
    }
    waiter.join();
    EXPECT_EQ(waiter.failure(), "");
    return cut;
  });
}

// It is notified in the middle of its wait, by another process.
TEST_F(ConditionOfKilled, OthersGoOnWhenANotifiedOneIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(31, [&](std::size_t steps) {
    SharedCondition shared{SharedPlainLock()};
    const auto is_over = make_shared_with_children<std::atomic<bool>>(false);
    ProcessWorker notifier([&] {
      while (!*is_over) {
        try {
          const std::scoped_lock held(shared);
          shared.notify();
        } catch (const tutti::OwnerDiedError&) {
          shared.recover();
          shared.release();
        }
        std::this_thread::yield();
      }
    });
    const Cut cut = cut_short([] {},
                              [&] {
                                const std::scoped_lock held(shared);
                                shared.wait();
                              },
                              steps);
    ProcessWorker waiter([&] {
      shared.recover();
      try {
        shared.wait();
      } catch (const tutti::OwnerDiedError&) {
      }
      shared.release();
    });
    waiter.join();
    EXPECT_EQ(waiter.failure(), "");
    *is_over = true;
    notifier.join();
    EXPECT_EQ(notifier.failure(), "");
    return cut;
  });
}

TEST_F(ConditionOfKilled, OthersGoOnWhenANotifierIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(13, [&](std::size_t steps) {
    SharedCondition shared{SharedPlainLock()};
    std::array<std::unique_ptr<ProcessWorker>, 2> waiters;
    for (auto& waiter : waiters) {
      waiter = std::make_unique<ProcessWorker>([&] {
        shared.acquire();
        try {
          shared.wait();
        } catch (const tutti::OwnerDiedError&) {
          shared.recover();
        }
        shared.release();
      });
      until([&] { return waiter->phase() == Phase::blocked_in_wait_pool; });
    }
    const Cut cut = cut_short([] {},
                              [&] {
                                const std::scoped_lock held(shared);
                                shared.notify(2);
                              },
                              steps);
    shared.recover();
    shared.notify_all();
    shared.release();
    for (auto& waiter : waiters) {
      waiter->join();
      EXPECT_EQ(waiter->failure(), "");
    }
    return cut;
  });
}

}  // namespace tests
