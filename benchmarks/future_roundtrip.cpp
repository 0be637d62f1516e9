// Has one empty call made by another thread, and waits for it: there and back.
//
// `tbb_enqueue` hands the call to a thread of an arena and waits for a std::future. In
// `tbb_task_group` the thread that waits makes the call itself, so nothing is handed over: it is
// there for information.
#include <benchmark/benchmark.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <future>

#include "mutex_pool.h"
#include "pooled.h"
#include "tutti/futures.h"

namespace {

void tutti_pool(benchmark::State& state) {
  tutti::futures::ThreadPoolExecutor pool(pool_size);
  time_calls(state, 1, [&] { pool.submit([] {}).result(); });
}

void std_async(benchmark::State& state) {
  time_calls(state, 1, [] { std::async(std::launch::async, [] {}).get(); });
}

void mutex_pool(benchmark::State& state) {
  MutexPool pool(pool_size);
  time_calls(state, 1, [&] { pool.submit([] {}).get(); });
}

void tbb_enqueue(benchmark::State& state) {
  tbb::task_arena arena(pool_size, 0);
  time_calls(state, 1, [&] {
    std::promise<void> promise;
    arena.enqueue([&] { promise.set_value(); });
    promise.get_future().get();
  });
}

void tbb_task_group(benchmark::State& state) {
  tbb::task_arena arena(pool_size);
  tbb::task_group group;
  time_calls(state, 1, [&] {
    arena.execute([&] {
      group.run([] {});
      group.wait();
    });
  });
}

BENCHMARK(tutti_pool)->Name("future_roundtrip/tutti")->UseRealTime();
BENCHMARK(std_async)->Name("future_roundtrip/std_async")->UseRealTime();
BENCHMARK(mutex_pool)->Name("future_roundtrip/mutex_pool")->UseRealTime();
BENCHMARK(tbb_enqueue)->Name("future_roundtrip/tbb_enqueue")->UseRealTime();
BENCHMARK(tbb_task_group)->Name("future_roundtrip/tbb_task_group")->UseRealTime();

}  // namespace
