#include "together.h"

#include <chrono>
#include <thread>
#include <vector>

#include "cpu_time.h"
#include "start_line.h"

void together(benchmark::State& state, int threads,
              const std::function<void(int thread, std::int64_t rounds)>& body) {
  using Clock = std::chrono::steady_clock;
  // All iterations are one batch: the threads run it on their own.
  const std::int64_t rounds = state.max_iterations;
  double cpu = 0;
  while (state.KeepRunningBatch(rounds)) {
    StartLine start(threads);
    std::vector<std::thread> runners;
    for (int thread = 0; thread < threads; ++thread) {
      runners.emplace_back([&, thread] {
        start.wait();
        body(thread, rounds);
      });
    }
    start.wait_for_all();
    const double cpu_before = cpu_seconds();
    const Clock::time_point before = Clock::now();
    start.open();
    for (std::thread& runner : runners) runner.join();
    const std::chrono::duration<double> wall = Clock::now() - before;
    cpu = cpu_seconds() - cpu_before;
    state.SetIterationTime(wall.count());
  }
  state.counters["cpu_ns"] = cpu * 1e9 / static_cast<double>(rounds);
}
