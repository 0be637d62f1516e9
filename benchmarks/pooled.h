// What the benchmarks of pools have in common. Every pool has two threads that work: where the
// calling thread joins in (tbb's arenas, parallel loops), it is one of them.
#pragma once

#include <benchmark/benchmark.h>
#include <tbb/task_arena.h>

#include <cstdint>
#include <utility>

#include "cpu_time.h"

constexpr int pool_size = 2;

/// Times `batch`, which makes `calls` calls; the figures are those of one call. A first batch,
/// which starts the pool's threads, is not timed. Counter "cpu_ns" is the CPU time of the whole
/// process.
template <typename F>
void time_calls(benchmark::State& state, std::int64_t calls, F&& batch) {
  batch();
  const double before = cpu_seconds();
  while (state.KeepRunningBatch(calls)) batch();
  state.counters["cpu_ns"] =
      (cpu_seconds() - before) * 1e9 / static_cast<double>(state.iterations());
}

/// The same inside of a tbb arena, which the calling thread enters once.
template <typename F>
void time_calls_in_arena(benchmark::State& state, std::int64_t calls, F&& batch) {
  tbb::task_arena arena(pool_size);
  arena.execute([&] { time_calls(state, calls, std::forward<F>(batch)); });
}
