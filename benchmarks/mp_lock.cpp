// Locks in memory that processes share: with nobody else about, and wanted by two processes most of
// the time.
//
// mp_lock_contended counts the rounds of two processes, this one and a child, in a fixed number of
// rounds of this one: wall time a round of both together. The robust mutex of pthread is the one
// that, like tutti's, survives the death of its owner.
#include <benchmark/benchmark.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "tutti/multiprocessing/lock.h"

namespace {

enum class Robust { no, yes };

template <Robust robust>
class PthreadMutex {
 public:
  PthreadMutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (robust == Robust::yes) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

template <typename Mutex>
struct Shared {
  alignas(64) Mutex mutex;
  alignas(64) std::uint64_t counter = 0;
  alignas(64) std::atomic<int> here{0};
  std::atomic<bool> stop{false};
};

/// In pages that the child shares; a tutti Lock, being a handle, may lie anywhere.
template <typename Mutex>
Shared<Mutex>& make_shared_pages() {
  void* pages = mmap(nullptr, sizeof(Shared<Mutex>), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) std::abort();
  return *new (pages) Shared<Mutex>;
}
template <typename Mutex>
void end_shared_pages(Shared<Mutex>& shared) {
  shared.~Shared();
  munmap(&shared, sizeof shared);
}

template <typename Mutex>
void mp_lock_uncontended(benchmark::State& state) {
  Shared<Mutex>& shared = make_shared_pages<Mutex>();
  for (auto _ : state) {
    shared.mutex.lock();
    shared.mutex.unlock();
  }
  end_shared_pages(shared);
}

template <typename Mutex>
void take_turns(Shared<Mutex>& shared, std::uint64_t& own) {
  shared.mutex.lock();
  ++shared.counter;
  shared.mutex.unlock();
  for (int i = 0; i < 8; ++i) own = own * 6364136223846793005U + 1442695040888963407U;
  benchmark::DoNotOptimize(own);
}

template <typename Mutex>
void mp_lock_contended(benchmark::State& state) {
  for (auto _ : state) {
    constexpr std::uint64_t rounds = 200'000;
    Shared<Mutex>& shared = make_shared_pages<Mutex>();
    std::uint64_t own = 1;
    const auto run = [&] {
      ++shared.here;
      while (shared.here != 2) std::atomic_signal_fence(std::memory_order_seq_cst);
      for (std::uint64_t i = 0; i < rounds; ++i) take_turns(shared, own);
    };
    const pid_t child = fork();
    if (child == 0) {
      run();
      _exit(0);
    }
    if (child < 0) std::abort();
    while (shared.here != 1) std::atomic_signal_fence(std::memory_order_seq_cst);
    const auto begin = std::chrono::steady_clock::now();
    run();
    waitpid(child, nullptr, 0);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    if (shared.counter != 2 * rounds) state.SkipWithError("the lock did not exclude");
    state.SetIterationTime(time.count() / (2.0 * rounds));
    end_shared_pages(shared);
  }
}

using TuttiLock = tutti::multiprocessing::Lock;
using RobustMutex = PthreadMutex<Robust::yes>;
using SharedMutex = PthreadMutex<Robust::no>;
using BoostMutex = boost::interprocess::interprocess_mutex;

BENCHMARK_TEMPLATE(mp_lock_uncontended, TuttiLock)->Name("mp_lock_uncontended/tutti");
BENCHMARK_TEMPLATE(mp_lock_uncontended, RobustMutex)->Name("mp_lock_uncontended/pthread_robust");
BENCHMARK_TEMPLATE(mp_lock_uncontended, SharedMutex)->Name("mp_lock_uncontended/pthread_shared");
BENCHMARK_TEMPLATE(mp_lock_uncontended, BoostMutex)->Name("mp_lock_uncontended/boost_interprocess");

BENCHMARK_TEMPLATE(mp_lock_contended, TuttiLock)
    ->Name("mp_lock_contended/tutti")
    ->UseManualTime()
    ->Iterations(5);
BENCHMARK_TEMPLATE(mp_lock_contended, RobustMutex)
    ->Name("mp_lock_contended/pthread_robust")
    ->UseManualTime()
    ->Iterations(5);
BENCHMARK_TEMPLATE(mp_lock_contended, SharedMutex)
    ->Name("mp_lock_contended/pthread_shared")
    ->UseManualTime()
    ->Iterations(5);
BENCHMARK_TEMPLATE(mp_lock_contended, BoostMutex)
    ->Name("mp_lock_contended/boost_interprocess")
    ->UseManualTime()
    ->Iterations(5);

}  // namespace
