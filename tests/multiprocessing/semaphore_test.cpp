// multiprocessing::Semaphore and BoundedSemaphore: the suites, and users that are killed.
#include "tutti/multiprocessing/semaphore.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "multiprocessing/flavours.h"
#include "suites/semaphore_suite.h"
#include "support/stepped.h"

namespace tests {

template <typename Flavour>
struct SharedSemaphoreIn : CaseIn<Flavour> {
  using Semaphore = typename Flavour::Semaphore;
  static constexpr const char* name = Flavour::name;
};
template <typename Flavour>
struct SharedBoundedIn : CaseIn<Flavour> {
  using Semaphore = typename Flavour::BoundedSemaphore;
  static constexpr const char* name = Flavour::name;
};
using SharedSemaphores =
    testing::Types<SharedSemaphoreIn<AmongThreads>, SharedSemaphoreIn<AmongProcesses>>;
using SharedBounded =
    testing::Types<SharedBoundedIn<AmongThreads>, SharedBoundedIn<AmongProcesses>>;
using SharedLimits = testing::Types<AmongThreads, AmongProcesses>;
INSTANTIATE_TYPED_TEST_SUITE_P(MultiprocessingSemaphore, AnySemaphore, SharedSemaphores, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(MultiprocessingBounded, AnySemaphore, SharedBounded, CaseName);
INSTANTIATE_TYPED_TEST_SUITE_P(Multiprocessing, SemaphoreLimit, SharedLimits, CaseName);

using tutti::multiprocessing::Semaphore;

TEST(MultiprocessingSemaphore, AKilledHoldersPlaceStaysTaken) {
  Semaphore semaphore(2);
  EXPECT_EQ(Forked([&] { semaphore.acquire(); }).join(), 0);
  EXPECT_EQ(semaphore.value(), 1);
}

TEST(MultiprocessingSemaphore, AKilledWaiterTakesNoPlace) {
  Semaphore semaphore(0);
  Forked first([&] { semaphore.acquire(); });
  ProcessWorker second([&] { semaphore.acquire(); });
  until([&] { return second.phase() == Phase::blocked_in_wait_pool; });
  first.kill();
  semaphore.release();
  second.join();
  EXPECT_EQ(second.failure(), "");
}

// A place is taken once, by the killed or by the other one, or it is still there.
TEST(MultiprocessingSemaphore, KeepsCountWhenAUserIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(1, [](std::size_t steps) {
    Semaphore semaphore(2);
    semaphore.acquire();
    semaphore.release();
    const Cut cut = cut_short([] {}, [&] { semaphore.acquire(); }, steps);
    const int left = semaphore.value();
    EXPECT_TRUE(left == 1 || (left == 2 && !cut.has_finished)) << left;
    for (int i = 0; i < left; ++i) EXPECT_TRUE(semaphore.acquire(false));
    EXPECT_FALSE(semaphore.acquire(false));
    return cut;
  });
}

TEST(MultiprocessingSemaphore, ServesOthersWhenAWaiterIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(23, [](std::size_t steps) {
    Semaphore semaphore(0);
    const Cut cut =
        cut_short([] {}, [&] { semaphore.acquire(std::chrono::microseconds(300)); }, steps);
    semaphore.release();
    EXPECT_TRUE(semaphore.acquire(std::chrono::seconds(30)));
    EXPECT_EQ(semaphore.value(), 0);
    semaphore.release(2);
    EXPECT_EQ(semaphore.value(), 2);
    return cut;
  });
}

// The place that it was given while it waited is its own, or another one's.
TEST(MultiprocessingSemaphore, KeepsCountWhenAServedWaiterIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(13, [](std::size_t steps) {
    Semaphore semaphore(0);
    const auto may_release = make_shared_with_children<std::atomic<bool>>(false);
    ProcessWorker giver([&] {
      until([&] { return may_release->load(); });
      semaphore.release();
    });
    const Cut cut = cut_short([] {},
                              [&] {
                                *may_release = true;
                                semaphore.acquire();
                              },
                              steps);
    *may_release = true;
    giver.join();
    const bool is_left = semaphore.acquire(false);
    EXPECT_FALSE(is_left && cut.has_finished);
    EXPECT_FALSE(semaphore.acquire(false));
    semaphore.release();
    EXPECT_EQ(semaphore.value(), 1);
    return cut;
  });
}

TEST(MultiprocessingSemaphore, LetsWaitersGoWhenAReleaserIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(7, [](std::size_t steps) {
    Semaphore semaphore(0);
    ProcessWorker waiter([&] { semaphore.acquire(); });
    until([&] { return waiter.phase() == Phase::blocked_in_wait_pool; });
    const Cut cut = cut_short([] {}, [&] { semaphore.release(2); }, steps);
    semaphore.release(2);  // The heir goes on.
    waiter.join();
    const int left = semaphore.value();
    EXPECT_TRUE(left >= 1 && left <= 3) << left;
    return cut;
  });
}

}  // namespace tests
