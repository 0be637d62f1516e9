// tutti::atomic and tutti::Shared where nothing is explored: they must cost what std::atomic and a
// plain variable do.
#include <benchmark/benchmark.h>

#include <atomic>

#include "tutti/atomic.h"
#include "tutti/shared.h"

namespace {

static_assert(sizeof(tutti::Shared<int>) == sizeof(int));
static_assert(sizeof(tutti::atomic<int>) == sizeof(std::atomic<int>));

// A dependency from one round to the next keeps the compiler from doing them all at once.
template <typename Int>
void shared_access(benchmark::State& state) {
  Int value = 1;
  for (auto _ : state) {
    value = value * 3 + 1;
    benchmark::DoNotOptimize(value);
  }
}

template <typename Int>
void atomic_access(benchmark::State& state) {
  Int value = 0;
  for (auto _ : state) {
    value.fetch_add(1, std::memory_order_relaxed);
    benchmark::DoNotOptimize(value.load(std::memory_order_acquire));
  }
}

BENCHMARK_TEMPLATE(shared_access, tutti::Shared<int>)->Name("shared_access/tutti");
BENCHMARK_TEMPLATE(shared_access, int)->Name("shared_access/plain");
BENCHMARK_TEMPLATE(atomic_access, tutti::atomic<int>)->Name("atomic_access/tutti");
BENCHMARK_TEMPLATE(atomic_access, std::atomic<int>)->Name("atomic_access/std_atomic");

}  // namespace
