// Schedules a second: two threads with three lock operations each, explored.
//
// The contender is the usual design of such tools, reduced to its core: kernel threads that hand a
// baton to and fro, one step at a time, with a scheduler in between. It does not even start its
// threads anew for each schedule, nor does it search: it only runs as many steps.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <random>
#include <semaphore>
#include <thread>

#include "tutti/explore.h"
#include "tutti/tutti.h"

namespace {

using namespace tutti;

void two_threads_with_three_operations() {
  threading::Lock lock;
  const auto work = [&lock] {
    lock.acquire();
    benchmark::DoNotOptimize(lock.locked());
    lock.release();
  };
  threading::Thread a(work);
  threading::Thread b(work);
  a.start();
  b.start();
  a.join();
  b.join();
}

void by_strategy(benchmark::State& state, explore::Options options) {
  std::uint64_t schedules = 0;
  double steps = 0;
  for (auto _ : state) {
    const explore::Result result = explore::check(two_threads_with_three_operations, options);
    if (!result) {
      state.SkipWithError("the explored program failed");
      return;
    }
    schedules += result.schedules + result.cut_short;
    steps += static_cast<double>(result.steps);
    ++options.seed;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(schedules));
  state.counters["steps"] = steps / static_cast<double>(schedules);
}

void random_walk(benchmark::State& state) {
  by_strategy(state, {.strategy = explore::Strategy::random, .schedules = 10'000});
}

// Every schedule, without reduction: there are some thousand.
void depth_first(benchmark::State& state) {
  by_strategy(state, {.preemptions = 1'000});
}

class Baton {
 public:
  static constexpr int steps = 8;

  Baton() {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      threads_[i] = std::thread([this, i] {
        for (;;) {
          turns_[i].acquire();
          if (is_over_) return;
          scheduler_.release();
        }
      });
    }
  }
  ~Baton() {
    is_over_ = true;
    for (auto& turn : turns_) turn.release();
    for (auto& thread : threads_) thread.join();
  }

  void run_schedule(std::mt19937_64& dice) {
    std::array<int, 2> left{steps, steps};
    while (left[0] + left[1] > 0) {
      std::size_t next = dice() % 2;
      if (left[next] == 0) next = 1 - next;
      --left[next];
      turns_[next].release();
      scheduler_.acquire();
    }
  }

 private:
  bool is_over_ = false;
  std::binary_semaphore scheduler_{0};
  std::array<std::binary_semaphore, 2> turns_{std::binary_semaphore(0), std::binary_semaphore(0)};
  std::array<std::thread, 2> threads_;
};

void kernel_threads(benchmark::State& state) {
  Baton baton;
  std::mt19937_64 dice(1);
  for (auto _ : state) baton.run_schedule(dice);
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(random_walk)->Name("explore_schedules/tutti")->UseRealTime();
BENCHMARK(kernel_threads)->Name("explore_schedules/kernel_threads")->UseRealTime();
BENCHMARK(depth_first)->Name("explore_depth_first/tutti")->UseRealTime();

}  // namespace
