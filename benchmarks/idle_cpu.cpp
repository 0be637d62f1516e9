// Eight threads blocked for a second: how much of a core do they use?
#include <benchmark/benchmark.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "cpu_time.h"
#include "tutti/threading.h"

namespace {

namespace threading = tutti::threading;

bool all_blocked(const std::vector<threading::Thread>& threads) {
  return std::all_of(threads.begin(), threads.end(), [](const threading::Thread& thread) {
    return thread.blocked_on().kind != threading::WaitKind::none;
  });
}

void idle_cpu(benchmark::State& state) {
  threading::Lock lock;
  threading::Condition condition;
  threading::Event event;
  threading::Semaphore semaphore(0);
  bool done = false;

  std::vector<threading::Thread> threads;
  std::unique_lock held(lock);
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { std::scoped_lock mine(lock); });
    threads.emplace_back([&] {
      std::scoped_lock mine(condition);
      condition.wait_for([&] { return done; });
    });
    threads.emplace_back([&] { event.wait(); });
    threads.emplace_back([&] { semaphore.acquire(); });
  }
  for (threading::Thread& thread : threads) thread.start();
  while (!all_blocked(threads)) tutti::sleep(0.001);

  for (auto _ : state) {
    const double before = cpu_seconds();
    tutti::sleep(1);
    state.counters["cpu_share"] = cpu_seconds() - before;
  }

  held.unlock();
  {
    std::scoped_lock mine(condition);
    done = true;
    condition.notify_all();
  }
  event.set();
  semaphore.release(2);
  for (threading::Thread& thread : threads) thread.join();
}

BENCHMARK(idle_cpu)->Name("idle_cpu/tutti")->Iterations(1)->UseRealTime();

}  // namespace
