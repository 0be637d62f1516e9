// The 22nd Fibonacci number by calls that submit two more calls each and wait for both, down to the
// last. The figure is the time of a call.
#include <benchmark/benchmark.h>
#include <tbb/task_group.h>

#include <cstdint>
#include <future>

#include "pooled.h"
#include "tutti/futures.h"

namespace {

using tutti::futures::Future;
using tutti::futures::ThreadPoolExecutor;

constexpr int number = 22;

constexpr std::int64_t calls_of(int n) {
  return n < 2 ? 1 : 1 + calls_of(n - 1) + calls_of(n - 2);
}

int fib(ThreadPoolExecutor& pool, int n) {
  if (n < 2) return n;
  const Future<int> a = pool.submit([&pool, n] { return fib(pool, n - 1); });
  const Future<int> b = pool.submit([&pool, n] { return fib(pool, n - 2); });
  return b.result() + a.result();
}

void tutti_submit(benchmark::State& state) {
  ThreadPoolExecutor pool(pool_size);
  time_calls(state, calls_of(number), [&] {
    benchmark::DoNotOptimize(pool.submit([&] { return fib(pool, number); }).result());
  });
}

int invoking_fib(ThreadPoolExecutor& pool, int n) {
  if (n < 2) return n;
  int a = 0;
  int b = 0;
  tutti::futures::parallel_invoke(
      pool, [&] { a = invoking_fib(pool, n - 1); }, [&] { b = invoking_fib(pool, n - 2); });
  return a + b;
}

void tutti_invoke(benchmark::State& state) {
  ThreadPoolExecutor pool(pool_size);
  time_calls(state, calls_of(number),
             [&] { benchmark::DoNotOptimize(invoking_fib(pool, number)); });
}

int task_group_fib(int n) {
  if (n < 2) return n;
  int a = 0;
  int b = 0;
  tbb::task_group group;
  group.run([&a, n] { a = task_group_fib(n - 1); });
  group.run([&b, n] { b = task_group_fib(n - 2); });
  group.wait();
  return a + b;
}

void tbb_task_group(benchmark::State& state) {
  time_calls_in_arena(state, calls_of(number),
                      [] { benchmark::DoNotOptimize(task_group_fib(number)); });
}

// A thread for each call: of a smaller number.
int async_fib(int n) {
  if (n < 2) return n;
  std::future<int> a = std::async(std::launch::async, async_fib, n - 1);
  std::future<int> b = std::async(std::launch::async, async_fib, n - 2);
  return b.get() + a.get();
}

void std_async(benchmark::State& state) {
  constexpr int smaller_number = 7;
  time_calls(state, calls_of(smaller_number),
             [] { benchmark::DoNotOptimize(async_fib(smaller_number)); });
}

BENCHMARK(tutti_submit)->Name("pool_fib/tutti")->UseRealTime();
BENCHMARK(tutti_invoke)->Name("pool_fib/tutti_invoke")->UseRealTime();
BENCHMARK(tbb_task_group)->Name("pool_fib/tbb_task_group")->UseRealTime();
BENCHMARK(std_async)->Name("pool_fib/std_async")->UseRealTime();

}  // namespace
