// Loops that two threads share, beside the same loop in one thread. The figure is the time of a
// loop.
//
// parallel_for_tiny: ten million elements, one multiplication and addition each.
// parallel_for_uneven: two thousand elements, whose cost grows with their number.
// parallel_for_small: sixteen elements with next to no work: what it costs to begin a loop.
// parallel_for_nested: a hundred loops of a hundred elements with next to no work, in a loop.
#include <benchmark/benchmark.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <execution>
#include <numeric>
#include <string>
#include <vector>

#include "pooled.h"
#include "tutti/futures.h"

namespace {

/// A loop is `loop(first, last, body)`, and calls `body(begin, end)` for pieces of that.
struct Tutti {
  template <typename F>
  void operator()(std::size_t first, std::size_t last, F&& body) {
    tutti::futures::parallel_for(pool, first, last, body);
  }
  template <typename F>
  void time(benchmark::State& state, F&& batch) {
    time_calls(state, 1, batch);
  }
  tutti::futures::ThreadPoolExecutor pool{pool_size};
};

struct Tbb {
  template <typename F>
  void operator()(std::size_t first, std::size_t last, F&& body) {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(first, last),
                      [&body](const tbb::blocked_range<std::size_t>& range) {
                        body(range.begin(), range.end());
                      });
  }
  template <typename F>
  void time(benchmark::State& state, F&& batch) {
    time_calls_in_arena(state, 1, batch);
  }
};

/// Through tbb in libstdc++. Its elements are numbers in memory, since that is what it takes.
struct StdPar {
  template <typename F>
  void operator()(std::size_t first, std::size_t last, F&& body) {
    if (numbers.size() != last) {
      numbers.resize(last);
      std::iota(numbers.begin(), numbers.end(), std::size_t{0});
    }
    std::for_each(std::execution::par, numbers.begin() + static_cast<std::ptrdiff_t>(first),
                  numbers.end(), [&body](std::size_t i) { body(i, i + 1); });
  }
  template <typename F>
  void time(benchmark::State& state, F&& batch) {
    time_calls_in_arena(state, 1, batch);
  }
  std::vector<std::size_t> numbers;
};

struct OneThread {
  template <typename F>
  void operator()(std::size_t first, std::size_t last, F&& body) {
    body(first, last);
  }
  template <typename F>
  void time(benchmark::State& state, F&& batch) {
    time_calls(state, 1, batch);
  }
};

template <typename Loop>
void tiny(benchmark::State& state) {
  constexpr std::size_t count = 10'000'000;
  const std::vector<double> x(count, 1.5);
  std::vector<double> y(count, 0.5);
  Loop loop;
  loop.time(state, [&] {
    loop(0, count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) y[i] += 1.25 * x[i];
    });
    benchmark::ClobberMemory();
  });
}

template <typename Loop>
void uneven(benchmark::State& state) {
  constexpr std::size_t count = 2'000;
  std::vector<std::uint64_t> y(count, 1);
  Loop loop;
  loop.time(state, [&] {
    loop(0, count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        // Each step needs the one before.
        std::uint64_t value = y[i];
        for (std::size_t step = 0; step < i; ++step) {
          value = value * 6364136223846793005 + 1442695040888963407;
        }
        y[i] = value;
      }
    });
    benchmark::ClobberMemory();
  });
}

template <typename Loop>
void small(benchmark::State& state) {
  constexpr std::size_t count = 16;
  std::vector<std::uint64_t> y(count, 1);
  Loop loop;
  loop.time(state, [&] {
    loop(0, count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++y[i];
    });
    benchmark::ClobberMemory();
  });
}

template <typename Loop>
void nested(benchmark::State& state) {
  constexpr std::size_t count = 100;
  std::vector<std::uint64_t> y(count * count, 1);
  Loop loop;
  loop.time(state, [&] {
    loop(0, count, [&](std::size_t row, std::size_t last_row) {
      for (; row < last_row; ++row) {
        loop(row * count, (row + 1) * count, [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) ++y[i];
        });
      }
    });
    benchmark::ClobberMemory();
  });
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const char* name, void (*function)(benchmark::State&)) {
    benchmark::RegisterBenchmark(name, function)->UseRealTime();
  };
  add("parallel_for_tiny/tutti", tiny<Tutti>);
  add("parallel_for_tiny/tbb", tiny<Tbb>);
  add("parallel_for_tiny/std_par", tiny<StdPar>);
  add("parallel_for_tiny/one_thread", tiny<OneThread>);
  add("parallel_for_uneven/tutti", uneven<Tutti>);
  add("parallel_for_uneven/tbb", uneven<Tbb>);
  add("parallel_for_uneven/std_par", uneven<StdPar>);
  add("parallel_for_uneven/one_thread", uneven<OneThread>);
  add("parallel_for_small/tutti", small<Tutti>);
  add("parallel_for_small/tbb", small<Tbb>);
  add("parallel_for_small/one_thread", small<OneThread>);
  add("parallel_for_nested/tutti", nested<Tutti>);
  add("parallel_for_nested/tbb", nested<Tbb>);
  add("parallel_for_nested/one_thread", nested<OneThread>);
  return true;
}();

}  // namespace
