// The sum of ten million numbers, by two threads and by one. The figure is the time of a sum.
#include <benchmark/benchmark.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>

#include <functional>
#include <numeric>
#include <vector>

#include "pooled.h"
#include "tutti/futures.h"

namespace {

const std::vector<double>& numbers() {
  static const std::vector<double> ten_million(10'000'000, 0.5);
  return ten_million;
}

void tutti_pool(benchmark::State& state) {
  tutti::futures::ThreadPoolExecutor pool(pool_size);
  time_calls(state, 1, [&] {
    benchmark::DoNotOptimize(tutti::futures::parallel_reduce(pool, numbers(), 0.0));
  });
}

void tbb_arena(benchmark::State& state) {
  using Range = tbb::blocked_range<std::vector<double>::const_iterator>;
  time_calls_in_arena(state, 1, [] {
    benchmark::DoNotOptimize(tbb::parallel_reduce(
        Range(numbers().begin(), numbers().end()), 0.0,
        [](const Range& range, double sum) {
          return std::accumulate(range.begin(), range.end(), sum);
        },
        std::plus<>()));
  });
}

void one_thread(benchmark::State& state) {
  time_calls(state, 1, [] {
    benchmark::DoNotOptimize(std::accumulate(numbers().begin(), numbers().end(), 0.0));
  });
}

BENCHMARK(tutti_pool)->Name("parallel_reduce/tutti")->UseRealTime();
BENCHMARK(tbb_arena)->Name("parallel_reduce/tbb")->UseRealTime();
BENCHMARK(one_thread)->Name("parallel_reduce/one_thread")->UseRealTime();

}  // namespace
