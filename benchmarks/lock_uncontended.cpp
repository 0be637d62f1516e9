// Acquire and release a lock that nobody else wants.
#include <benchmark/benchmark.h>

#include <mutex>

#include "absl_mutex.h"
#include "tutti/threading.h"

namespace {

template <typename Mutex>
void lock_uncontended(benchmark::State& state) {
  Mutex mutex;
  benchmark::DoNotOptimize(&mutex);
  for (auto _ : state) {
    mutex.lock();
    mutex.unlock();
  }
}

BENCHMARK_TEMPLATE(lock_uncontended, tutti::threading::Lock)->Name("lock_uncontended/tutti");
BENCHMARK_TEMPLATE(lock_uncontended, std::mutex)->Name("lock_uncontended/std_mutex");
BENCHMARK_TEMPLATE(lock_uncontended, AbslMutex)->Name("lock_uncontended/absl_mutex");

}  // namespace
