// One thread submits ten thousand empty calls to a pool, and waits until all have been made.
//
// tbb::task_group gives no futures, and the thread that waits makes calls as well. `tutti_dropped`
// drops the futures, and the calls are counted.
#include <benchmark/benchmark.h>
#include <tbb/task_group.h>

#include <atomic>
#include <future>
#include <vector>

#include "mutex_pool.h"
#include "pooled.h"
#include "tutti/futures.h"
#include "tutti/threading.h"

namespace {

using tutti::futures::Future;
using tutti::futures::ThreadPoolExecutor;

constexpr int calls = 10'000;

void tutti_waits(benchmark::State& state) {
  ThreadPoolExecutor pool(pool_size);
  time_calls(state, calls, [&] {
    std::vector<Future<void>> futures;
    futures.reserve(calls);
    for (int i = 0; i < calls; ++i) futures.push_back(pool.submit([] {}));
    tutti::futures::wait(futures);
  });
}

void tutti_counts(benchmark::State& state) {
  ThreadPoolExecutor pool(pool_size);
  time_calls(state, calls, [&] {
    std::atomic<int> left{calls};
    tutti::threading::Event all_made;
    for (int i = 0; i < calls; ++i) {
      pool.submit([&] {
        if (left.fetch_sub(1) == 1) all_made.set();
      });
    }
    all_made.wait();
  });
}

void tbb_task_group(benchmark::State& state) {
  time_calls_in_arena(state, calls, [] {
    tbb::task_group group;
    for (int i = 0; i < calls; ++i) group.run([] {});
    group.wait();
  });
}

void mutex_pool(benchmark::State& state) {
  MutexPool pool(pool_size);
  time_calls(state, calls, [&] {
    std::vector<std::future<void>> futures;
    futures.reserve(calls);
    for (int i = 0; i < calls; ++i) futures.push_back(pool.submit([] {}));
    for (std::future<void>& future : futures) future.wait();
  });
}

// A thread for each call: not as many at a time.
void std_async(benchmark::State& state) {
  constexpr int threads = 100;
  time_calls(state, threads, [] {
    std::vector<std::future<void>> futures;
    futures.reserve(threads);
    for (int i = 0; i < threads; ++i) {
      futures.push_back(std::async(std::launch::async, [] {}));
    }
    for (std::future<void>& future : futures) future.wait();
  });
}

BENCHMARK(tutti_waits)->Name("pool_submit/tutti")->UseRealTime();
BENCHMARK(tutti_counts)->Name("pool_submit/tutti_dropped")->UseRealTime();
BENCHMARK(tbb_task_group)->Name("pool_submit/tbb_task_group")->UseRealTime();
BENCHMARK(mutex_pool)->Name("pool_submit/mutex_pool")->UseRealTime();
BENCHMARK(std_async)->Name("pool_submit/std_async")->UseRealTime();

}  // namespace
