// Acquire and release a recursive lock that nobody else wants.
#include <benchmark/benchmark.h>

#include <mutex>

#include "tutti/threading.h"

namespace {

template <typename Mutex>
void rlock_uncontended(benchmark::State& state) {
  Mutex mutex;
  benchmark::DoNotOptimize(&mutex);
  for (auto _ : state) {
    mutex.lock();
    mutex.unlock();
  }
}

BENCHMARK_TEMPLATE(rlock_uncontended, tutti::threading::RLock)->Name("rlock_uncontended/tutti");
BENCHMARK_TEMPLATE(rlock_uncontended, std::recursive_mutex)
    ->Name("rlock_uncontended/std_recursive_mutex");

}  // namespace
