// Threads that all want one lock, most of the time.
//
// lock_contended_N counts what N threads get done in a fixed time, and how evenly. Reading a clock
// would slow that down and make the lock look less contended than it is: so the longest wait is
// measured in runs of their own, lock_contended_N_wait. There a wait begins when a thread has found
// the lock held. Without that condition, eight threads on two cores that have a lock each "wait"
// for 20 to 30 ms too, whenever the kernel takes one from its core between two looks at the clock.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl_mutex.h"
#include "start_line.h"
#include "tutti/threading.h"

namespace {

using Clock = std::chrono::steady_clock;

/// How long a run lasts: 2 seconds, or what TUTTI_BENCH_SECONDS says.
std::chrono::duration<double> run_time() {
  const char* seconds = std::getenv("TUTTI_BENCH_SECONDS");
  return std::chrono::duration<double>(seconds != nullptr ? std::atof(seconds) : 2.0);
}

/// About two nanoseconds a step, one step after the other.
void work(std::uint64_t& value, int steps) {
  for (int i = 0; i < steps; ++i) value = value * 6364136223846793005U + 1442695040888963407U;
  benchmark::DoNotOptimize(value);
}
constexpr int steps_inside = 4;
constexpr int steps_outside = 8;

/// What one thread has got; on a cache line of its own.
struct alignas(64) Share {
  std::int64_t acquired = 0;
  Clock::duration longest_wait{0};
};

/// Jain's fairness index (Jain, Chiu, Hawe 1984): 1 when all have the same, 1/n when one has all.
double fairness(const std::vector<Share>& shares) {
  double sum = 0;
  double sum_of_squares = 0;
  for (const Share& share : shares) {
    const auto acquired = static_cast<double>(share.acquired);
    sum += acquired;
    sum_of_squares += acquired * acquired;
  }
  return sum * sum / (static_cast<double>(shares.size()) * sum_of_squares);
}

template <typename Mutex>
struct Contest {
  alignas(64) Mutex mutex;
  alignas(64) std::uint64_t counter = 0;
  std::uint64_t shared_value = 1;
  alignas(64) std::atomic<bool> stop{false};
};

enum class Waits { timed, not_timed };

template <typename Mutex, Waits waits>
Share take_part(Contest<Mutex>& contest) {
  Share share;
  std::uint64_t own_value = 1;
  while (!contest.stop.load(std::memory_order_relaxed)) {
    if constexpr (waits == Waits::timed) {
      if (!contest.mutex.try_lock()) {
        const Clock::time_point before = Clock::now();
        contest.mutex.lock();
        share.longest_wait = std::max(share.longest_wait, Clock::now() - before);
      }
    } else {
      contest.mutex.lock();
    }
    ++contest.counter;
    work(contest.shared_value, steps_inside);
    contest.mutex.unlock();
    ++share.acquired;
    work(own_value, steps_outside);
  }
  return share;
}

template <typename Mutex, Waits waits>
void lock_contended(benchmark::State& state, int threads) {
  Contest<Mutex> contest;
  std::vector<Share> shares(static_cast<std::size_t>(threads));
  for (auto _ : state) {
    StartLine start(threads);
    std::vector<std::thread> runners;
    for (Share& share : shares) {
      runners.emplace_back([&] {
        start.wait();
        share = take_part<Mutex, waits>(contest);
      });
    }
    start.wait_for_all();
    const Clock::time_point before = Clock::now();
    start.open();
    std::this_thread::sleep_for(run_time());
    contest.stop.store(true, std::memory_order_relaxed);
    const std::chrono::duration<double> wall = Clock::now() - before;
    for (std::thread& runner : runners) runner.join();
    state.SetIterationTime(wall.count());
  }

  std::int64_t acquired = 0;
  Clock::duration longest_wait{0};
  for (const Share& share : shares) {
    acquired += share.acquired;
    longest_wait = std::max(longest_wait, share.longest_wait);
  }
  if (static_cast<std::uint64_t>(acquired) != contest.counter) {
    state.SkipWithError("the lock did not exclude: increments were lost");
    return;
  }
  if (waits == Waits::timed) {
    state.counters["longest_wait_ns"] = static_cast<double>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(longest_wait).count());
  } else {
    state.SetItemsProcessed(acquired);
    state.counters["fairness"] = fairness(shares);
  }
}

template <typename Mutex>
void register_contender(const std::string& contender) {
  for (const int threads : {2, 8}) {
    const std::string subject = "lock_contended_" + std::to_string(threads);
    const auto add = [&](const std::string& name, auto* function) {
      benchmark::RegisterBenchmark(name.c_str(), function, threads)->UseManualTime()->Iterations(1);
    };
    add(subject + "/" + contender, lock_contended<Mutex, Waits::not_timed>);
    add(subject + "_wait/" + contender, lock_contended<Mutex, Waits::timed>);
  }
}

[[maybe_unused]] const bool registered = [] {
  register_contender<tutti::threading::Lock>("tutti");
  register_contender<std::mutex>("std_mutex");
  register_contender<AbslMutex>("absl_mutex");
  return true;
}();

}  // namespace
