// parallel_for, parallel_reduce, parallel_invoke.
#include "tutti/futures/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/throws.h"
#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

namespace {

using namespace tutti;
using namespace std::chrono_literals;
using futures::parallel_for;
using futures::parallel_invoke;
using futures::parallel_reduce;
using futures::ThreadPoolExecutor;

class Parallel : public testing::TestWithParam<int> {
 protected:
  ThreadPoolExecutor pool{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Workers, Parallel, testing::Values(1, 2, 4));

TEST_P(Parallel, ForTakesEachPlaceOnce) {
  for (const int count : {0, 1, 2, 3, 100, 10000}) {
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
    parallel_for(pool, 0, count, [&](int i) { ++seen[static_cast<std::size_t>(i)]; });
    for (const auto& times : seen) ASSERT_EQ(times, 1);
  }
}

TEST_P(Parallel, ForTakesEachPlaceOnceWhenItTakesLong) {
  std::vector<std::atomic<int>> seen(300);
  parallel_for(pool, 0, 300, [&](int i) {
    be_busy_for(std::chrono::microseconds(i % 50));
    ++seen[static_cast<std::size_t>(i)];
  });
  for (const auto& times : seen) ASSERT_EQ(times, 1);
}

TEST_P(Parallel, ForTakesPiecesNegativeNumbersAndRanges) {
  std::atomic<long> sum = 0;
  parallel_for(pool, -100, 101, [&](int begin, int end) {
    for (int i = begin; i < end; ++i) sum += i;
    sum += end - begin;
  });
  EXPECT_EQ(sum, 201);
  std::vector<int> numbers(1000, 1);
  parallel_for(pool, numbers, [](int& n) { n *= 2; });
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 2000);
  parallel_for(pool, 5, 3, [](int) { FAIL(); });
  std::atomic<std::size_t> places = 0;
  parallel_for(pool, 0, numbers.size(), [&](std::size_t) { ++places; });
  EXPECT_EQ(places, numbers.size());
}

TEST_P(Parallel, ReduceKeepsTheOrder) {
  const auto letter = [](int i) {
    be_busy_for(1us);
    return std::string(1, static_cast<char>('a' + i % 26));
  };
  std::string expected = ">";
  for (int i = -20; i < 300; ++i) expected += letter(i + 20);
  EXPECT_EQ(parallel_reduce(pool, -20, 300, std::string(">"), std::plus<>(),
                            [&](int i) { return letter(i + 20); }),
            expected);
}

TEST_P(Parallel, ReduceSumsARange) {
  std::vector<long> numbers(5000);
  std::iota(numbers.begin(), numbers.end(), 1L);
  EXPECT_EQ(parallel_reduce(pool, numbers, 0L), 12'502'500);
  const auto larger = [](long a, long b) { return std::max(a, b); };
  EXPECT_EQ(parallel_reduce(pool, numbers, 0L, larger, [](long n) { return -n; }), 0);
  EXPECT_EQ(parallel_reduce(pool, std::vector<long>(), 7L), 7);
}

TEST_P(Parallel, InvokeCallsAll) {
  int a = 0;
  int b = 0;
  int c = 0;
  parallel_invoke(
      pool, [&] { a = 1; }, [&] { b = 2; }, [&] { c = 3; });
  EXPECT_EQ(a + b + c, 6);
}

TEST_P(Parallel, TheFirstExceptionWinsAndTheRestIsNotBegun) {
  std::atomic<int> calls = 0;
  EXPECT_TRUE(throws<std::out_of_range>(
      [&] {
        parallel_for(pool, 0, 1'000'000, [&](int) {
          ++calls;
          be_busy_for(1us);
          throw std::out_of_range("at once");
        });
      },
      {"at once"}));
  EXPECT_LE(calls, GetParam());
  EXPECT_THROW(parallel_invoke(
                   pool, [] { throw std::out_of_range("one"); }, [] {}),
               std::out_of_range);
}

long sum_of_tree(ThreadPoolExecutor& pool, int depth) {
  if (depth == 0) return 1;
  long left = 0;
  long right = 0;
  parallel_invoke(
      pool, [&] { left = sum_of_tree(pool, depth - 1); },
      [&] { right = sum_of_tree(pool, depth - 1); });
  return left + right;
}

TEST_P(Parallel, MayBeNested) {
  EXPECT_EQ(sum_of_tree(pool, 8), 256);
  std::atomic<int> calls = 0;
  parallel_for(pool, 0, 20, [&](int) {
    be_busy_for(10us);
    parallel_for(pool, 0, 20, [&](int) {
      be_busy_for(5us);
      ++calls;
    });
  });
  EXPECT_EQ(calls, 400);
  EXPECT_EQ(pool.submit([&] { return sum_of_tree(pool, 6); }).result(), 64);
}

TEST_P(Parallel, IsSharedByThePoolsThreads) {
  // Each waits until all have come, so that nobody can do it alone.
  threading::Barrier meeting(static_cast<std::size_t>(GetParam()));
  parallel_for(pool, 0, GetParam(), [&](int) {
    be_busy_for(30us);
    meeting.wait(60);
  });
}

TEST(ParallelFor, IsRefusedAfterTheShutdown) {
  ThreadPoolExecutor pool(1);
  pool.shutdown();
  EXPECT_THROW(parallel_for(pool, 0, 1, [](int) {}), RuntimeError);
}

}  // namespace

}  // namespace tests
