// futures::ProcessPoolExecutor: an executor whose calls are made in processes.
#include "tutti/multiprocessing/process_pool_executor.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include "support/start_methods.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/multiprocessing/process.h"
#include "tutti/tutti.h"

namespace tests {

namespace {

using namespace tutti;
using futures::BrokenProcessPool;
using futures::ProcessPoolExecutor;

int square(int n) {
  return n * n;
}

class ProcessPoolExecutorTest : public ForEachStartMethod {};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Started, ProcessPoolExecutorTest, all_start_methods(),
                         name_of_start_method);

TEST_P(ProcessPoolExecutorTest, MakesCallsInProcesses) {
  ProcessPoolExecutor pool({.max_workers = 2, .mp_context = context()});
  EXPECT_EQ(pool.max_workers(), 2u);
  futures::Future<int> nine = pool.submit(square, 3);
  EXPECT_EQ(nine.result(), 9);
  EXPECT_NE(pool.submit([] { return getpid(); }).result(), getpid());
  EXPECT_TRUE(throws<std::domain_error>(
      [&] { pool.submit([] { throw std::domain_error("no"); }).result(); }, {"no"}));
  std::vector<futures::Future<int>> all;
  for (int n = 0; n < 500; ++n) all.push_back(pool.submit(square, n));
  int sum = 0;
  for (const auto& done : futures::as_completed(all)) sum += done.result() > 0 ? 1 : 0;
  EXPECT_EQ(sum, 499);
}

TEST_P(ProcessPoolExecutorTest, MapsInOrder) {
  ProcessPoolExecutor pool({.max_workers = 2, .mp_context = context()});
  std::vector<int> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 0);
  for (const int chunksize : {1, 64}) {
    int next = 0;
    for (int n : pool.map(square, numbers, {.chunksize = chunksize})) {
      EXPECT_EQ(n, square(next));
      ++next;
    }
    EXPECT_EQ(next, 1000);
  }
  std::vector<int> sums;
  for (int n : pool.map([](int a, int b) { return a + b; }, numbers, std::vector<int>{5, 6, 7})) {
    sums.push_back(n);
  }
  EXPECT_EQ(sums, (std::vector<int>{5, 7, 9}));
  EXPECT_TRUE(throws<TimeoutError>([&] {
    for ([[maybe_unused]] int n : pool.map(
             [](int i) {
               tutti::sleep(0.3);
               return i;
             },
             std::vector<int>{1}, {.timeout = 0.01})) {
    }
  }));
  EXPECT_TRUE(throws<ValueError>([&] { pool.map(square, numbers, {.chunksize = 0}); }));
}

TEST_P(ProcessPoolExecutorTest, CallsThatNoWorkerWasOfferedCanBeCancelled) {
  ProcessPoolExecutor pool({.max_workers = 1, .mp_context = context()});
  std::vector<futures::Future<void>> all;
  for (int n = 0; n < 10; ++n) all.push_back(pool.submit([] { tutti::sleep(0.05); }));
  EXPECT_FALSE(all.front().cancel());
  EXPECT_TRUE(all.back().cancel());
  EXPECT_TRUE(all[8].cancel());
  all.front().result();
  pool.shutdown({.cancel_futures = true});
  int cancelled = 0;
  for (const auto& future : all) {
    EXPECT_TRUE(future.done());
    cancelled += future.cancelled() ? 1 : 0;
  }
  EXPECT_GE(cancelled, 2);
  EXPECT_TRUE(throws<RuntimeError>([&] { pool.submit(square, 1); }, {"shutdown"}));
}

TEST_P(ProcessPoolExecutorTest, AKilledWorkerBreaksThePool) {
  ProcessPoolExecutor pool({.max_workers = 2, .mp_context = context()});
  std::vector<futures::Future<void>> pending;
  for (int n = 0; n < 20; ++n) pending.push_back(pool.submit([] { pause(); }));
  auto killed = multiprocessing::active_children().front();
  killed.kill();
  for (const auto& future : pending) {
    EXPECT_TRUE(throws<BrokenProcessPool>([&] { future.result(); }, {"SIGKILL"}));
  }
  EXPECT_TRUE(throws<BrokenProcessPool>([&] { pool.submit(square, 1); }, {"SIGKILL"}));
  pool.shutdown();
  EXPECT_TRUE(multiprocessing::active_children().empty());
}

TEST_P(ProcessPoolExecutorTest, AWorkerKilledWhileItIsIdleBreaksThePool) {
  ProcessPoolExecutor pool({.max_workers = 1, .mp_context = context()});
  EXPECT_EQ(pool.submit(square, 3).result(), 9);
  multiprocessing::active_children().front().kill();
  until([] { return multiprocessing::active_children().empty(); });
  pool.shutdown();
  EXPECT_TRUE(throws<BrokenProcessPool>([&] { pool.submit(square, 1); }, {"SIGKILL", "idle"}));
}

TEST_P(ProcessPoolExecutorTest, ACallThatThrowsSystemExitFailsAlone) {
  ProcessPoolExecutor pool({.max_workers = 1, .mp_context = context()});
  auto ended = pool.submit([] { throw thread::SystemExit{3}; });
  try {
    ended.result();
    FAIL();
  } catch (const thread::SystemExit& exit) {
    EXPECT_EQ(exit.code, 3);
  }
  EXPECT_EQ(pool.submit(square, 3).result(), 9);
}

TEST_P(ProcessPoolExecutorTest, AnInitializerThatFailsBreaksThePool) {
  ProcessPoolExecutor pool({.max_workers = 2,
                            .initializer = [] { throw std::runtime_error("no database"); },
                            .mp_context = context()});
  EXPECT_TRUE(throws<BrokenProcessPool>([&] { pool.submit(square, 1).result(); }, {"no database"}));
}

TEST_P(ProcessPoolExecutorTest, WorkersAreReplacedAfterSoManyCalls) {
  ProcessPoolExecutor pool({.max_workers = 1, .max_tasks_per_child = 1, .mp_context = context()});
  std::set<pid_t> workers;
  for (int n = 0; n < 4; ++n) workers.insert(pool.submit([] { return getpid(); }).result());
  EXPECT_EQ(workers.size(), 4u);
}

TEST_P(ProcessPoolExecutorTest, ShutdownWaitsForCallsAndNotInACallback) {
  ProcessPoolExecutor pool({.max_workers = 1, .mp_context = context()});
  auto slow = pool.submit([] {
    tutti::sleep(0.02);
    return 5;
  });
  auto tried = pool.submit(square, 1);
  bool was_refused = false;
  tried.add_done_callback(
      [&](const auto&) { was_refused = bool{throws<DeadlockError>([&] { pool.shutdown(); })}; });
  pool.shutdown();
  EXPECT_TRUE(slow.done());
  EXPECT_EQ(slow.result(), 5);
  EXPECT_TRUE(was_refused);
}

}  // namespace tests
