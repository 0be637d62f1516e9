// Start a thread that does nothing, and join it.
#include <benchmark/benchmark.h>

#include <thread>

#include "cpu_time.h"
#include "tutti/threading.h"

namespace {

void start_join_tutti() {
  tutti::threading::Thread thread([] {});
  thread.start();
  thread.join();
}

void start_join_std() {
  std::thread([] {}).join();
}

void thread_start_join(benchmark::State& state, void (*start_join)()) {
  const double before = cpu_seconds();
  for (auto _ : state) start_join();
  state.counters["cpu_ns"] =
      (cpu_seconds() - before) * 1e9 / static_cast<double>(state.iterations());
}

BENCHMARK_CAPTURE(thread_start_join, tutti, start_join_tutti)
    ->Name("thread_start_join/tutti")
    ->UseRealTime();
BENCHMARK_CAPTURE(thread_start_join, std_thread, start_join_std)
    ->Name("thread_start_join/std_thread")
    ->UseRealTime();

}  // namespace
