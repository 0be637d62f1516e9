// Take a unit of a semaphore that has one, and give it back.
#include <benchmark/benchmark.h>

#include <semaphore>

#include "tutti/threading.h"

namespace {

template <typename Semaphore>
void semaphore_uncontended(benchmark::State& state) {
  Semaphore semaphore(1);
  benchmark::DoNotOptimize(&semaphore);
  for (auto _ : state) {
    semaphore.acquire();
    semaphore.release();
  }
}

BENCHMARK_TEMPLATE(semaphore_uncontended, tutti::threading::Semaphore)
    ->Name("semaphore_uncontended/tutti");
BENCHMARK_TEMPLATE(semaphore_uncontended, std::counting_semaphore<>)
    ->Name("semaphore_uncontended/std_counting_semaphore");

}  // namespace
