// How long it takes from the closing of a ring of threads until one of them catches DeadlockError.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "tutti/threading.h"

namespace {

namespace threading = tutti::threading;

std::int64_t now() {
  return tutti::platform::now();
}

// One ring of `size` threads, each with a lock, who all want the next one's; in nanoseconds.
std::int64_t time_of_ring(std::size_t size) {
  std::deque<threading::Lock> locks(size);
  threading::Barrier all_hold(static_cast<int>(size));
  std::vector<std::int64_t> begun(size, 0);
  std::atomic<std::int64_t> caught{0};
  std::vector<threading::Thread> threads;
  for (std::size_t i = 0; i < size; ++i) {
    threads.emplace_back([&, i] {
      try {
        const std::scoped_lock first(locks[i]);
        all_hold.wait();
        begun[i] = now();
        const std::scoped_lock second(locks[(i + 1) % size]);
      } catch (const tutti::DeadlockError&) {
        caught = now();
      }
    });
  }
  for (threading::Thread& thread : threads) thread.start();
  for (threading::Thread& thread : threads) thread.join();
  return caught - *std::max_element(begun.begin(), begun.end());
}

void deadlock_ring(benchmark::State& state) {
  std::int64_t longest = 0;
  for (auto _ : state) {
    const std::int64_t time = time_of_ring(static_cast<std::size_t>(state.range(0)));
    longest = std::max(longest, time);
    state.SetIterationTime(static_cast<double>(time) * 1e-9);
  }
  state.counters["longest_ns"] = static_cast<double>(longest);
}

BENCHMARK(deadlock_ring)->Name("deadlock_ring_2/tutti")->Arg(2)->Iterations(50)->UseManualTime();
BENCHMARK(deadlock_ring)->Name("deadlock_ring_8/tutti")->Arg(8)->Iterations(50)->UseManualTime();
BENCHMARK(deadlock_ring)->Name("deadlock_ring_64/tutti")->Arg(64)->Iterations(50)->UseManualTime();

}  // namespace
