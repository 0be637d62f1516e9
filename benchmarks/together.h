// Runs one body in several threads at once, and takes the time of a round.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>

/// Calls `body(thread, rounds)` in `threads` threads, numbered from 0, all let go at the same
/// moment. Reports the wall time of a round as the benchmark's (which must be registered with
/// UseManualTime), and the CPU time that the whole process uses in a round as counter "cpu_ns".
///
/// The threads are std::threads for every contender, so that nothing but the subject differs.
void together(benchmark::State& state, int threads,
              const std::function<void(int thread, std::int64_t rounds)>& body);
