// multiprocessing::Barrier: the suite, and parties that are killed.
#include "tutti/multiprocessing/barrier.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "multiprocessing/flavours.h"
#include "suites/barrier_suite.h"
#include "support/stepped.h"

namespace tests {

using SharedBarriers = testing::Types<AmongThreads, AmongProcesses>;
INSTANTIATE_TYPED_TEST_SUITE_P(Multiprocessing, Barrier, SharedBarriers, CaseName);

using SharedBarrier = tutti::multiprocessing::Barrier;

TEST(MultiprocessingBarrier, BreaksWhenAWaitingPartyIsKilled) {
  SharedBarrier barrier(3);
  Forked killed([&] { barrier.wait(); });
  until([&] { return barrier.n_waiting() == 1; });
  ProcessWorker other([&] { barrier.wait(); });
  until([&] { return barrier.n_waiting() == 2 && other.phase() == Phase::blocked_in_wait_pool; });
  killed.kill();
  other.join();
  const std::string process = "process " + std::to_string(killed.pid());
  EXPECT_NE(other.failure().find(process), std::string::npos) << other.failure();
  EXPECT_TRUE(barrier.broken());
  EXPECT_TRUE(throws<BrokenBarrierError>([&] { barrier.wait(); }, {process, "reset()"}));
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
}

TEST(MultiprocessingBarrier, BreaksWhenThePartyThatActsIsKilled) {
  const auto acts = make_shared_with_children<std::atomic<bool>>(false);
  SharedBarrier barrier(2, [&] {
    *acts = true;
    pause();
  });
  ProcessWorker other([&] { barrier.wait(); });
  until([&] { return other.phase() == Phase::blocked_in_wait_pool; });
  Forked killed([&] { barrier.wait(); });
  until([&] { return acts->load(); });
  killed.kill();
  other.join();
  EXPECT_NE(other.failure().find(std::to_string(killed.pid())), std::string::npos);
}

TEST(MultiprocessingBarrier, LetsAllPassOrBreaksWhenTheLastToComeIsKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(13, [](std::size_t steps) {
    SharedBarrier barrier(2);
    ProcessWorker waiter([&] {
      try {
        barrier.wait();
      } catch (const BrokenBarrierError&) {
      }
    });
    until([&] { return waiter.phase() == Phase::blocked_in_wait_pool; });
    const Cut cut = cut_short([] {}, [&] { barrier.wait(); }, steps);
    // It may have been killed before it came, and then nobody knows that it was to come.
    barrier.abort();
    waiter.join();
    EXPECT_EQ(waiter.failure(), "");
    barrier.reset();
    EXPECT_EQ(barrier.n_waiting(), 0);
    return cut;
  });
}

}  // namespace tests
