// A trivial function over 100,000 numbers by two worker processes: in chunks of Python's default
// size, and each number a task of its own.
#include <benchmark/benchmark.h>

#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "tutti/multiprocessing/pool.h"
#include "two_processes.h"

namespace {

constexpr int elements = 100'000;

std::vector<int> numbers() {
  std::vector<int> all(elements);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void tutti_pool(benchmark::State& state, std::optional<int> chunksize) {
  tutti::multiprocessing::Pool pool(2);
  const std::vector<int> all = numbers();
  for (auto _ : state) {
    const std::vector<int> results = pool.map([](int n) { return n + 1; }, all, chunksize);
    if (results.back() != elements) state.SkipWithError("a wrong result");
  }
}

constexpr const char* python_program = R"(
import multiprocessing, sys, time
rounds, elements, chunksize = map(int, sys.argv[1:])
def add_one(n):
    return n + 1
with multiprocessing.get_context("fork").Pool(2) as pool:
    numbers = list(range(elements))
    pool.map(add_one, numbers[:100])
    begin = time.perf_counter()
    for _ in range(rounds):
        pool.map(add_one, numbers, chunksize or None)
    print(time.perf_counter() - begin)
)";

void cpython(benchmark::State& state, std::optional<int> chunksize) {
  python_processes(state, python_program,
                   std::to_string(elements) + " " + std::to_string(chunksize.value_or(0)));
}

void add(const std::string& subject, std::optional<int> chunksize) {
  benchmark::RegisterBenchmark((subject + "/tutti").c_str(), tutti_pool, chunksize)->UseRealTime();
  benchmark::RegisterBenchmark((subject + "/cpython").c_str(), cpython, chunksize)->UseManualTime();
}

[[maybe_unused]] const bool registered = [] {
  add("pool_map_processes", std::nullopt);
  add("pool_map_processes_chunk_1", 1);
  return true;
}();

}  // namespace
