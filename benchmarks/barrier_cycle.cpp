// Threads that wait for each other again and again: barrier_cycle is two of them, barrier_cycle_4
// four.
#include <benchmark/benchmark.h>

#include <barrier>
#include <cstdint>

#include "together.h"
#include "tutti/threading.h"

namespace {

class StdBarrier {
 public:
  explicit StdBarrier(int parties) : barrier_(parties) {}
  void wait() { barrier_.arrive_and_wait(); }

 private:
  std::barrier<> barrier_;
};

template <typename Barrier, int threads>
void barrier_cycle(benchmark::State& state) {
  Barrier barrier(threads);
  together(state, threads, [&](int, std::int64_t rounds) {
    for (std::int64_t round = 0; round < rounds; ++round) barrier.wait();
  });
}

BENCHMARK_TEMPLATE(barrier_cycle, tutti::threading::Barrier, 2)
    ->Name("barrier_cycle/tutti")
    ->UseManualTime();
BENCHMARK_TEMPLATE(barrier_cycle, StdBarrier, 2)
    ->Name("barrier_cycle/std_barrier")
    ->UseManualTime();
BENCHMARK_TEMPLATE(barrier_cycle, tutti::threading::Barrier, 4)
    ->Name("barrier_cycle_4/tutti")
    ->UseManualTime();
BENCHMARK_TEMPLATE(barrier_cycle, StdBarrier, 4)
    ->Name("barrier_cycle_4/std_barrier")
    ->UseManualTime();

}  // namespace
