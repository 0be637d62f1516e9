// What pthread costs, with and without `tutti run` before it: nanoseconds an operation, one subject
// a line. See benchmarks/run_overhead.
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

template <typename Work>
void measure(const char* subject, long operations, Work work) {
  const auto begin = Clock::now();
  work(operations);
  const std::chrono::duration<double, std::nano> taken = Clock::now() - begin;
  std::printf("%s %.2f\n", subject, taken.count() / static_cast<double>(operations));
}

template <typename Mutex>
void lock_again_and_again(Mutex& mutex, long operations) {
  for (long i = 0; i < operations; ++i) {
    mutex.lock();
    mutex.unlock();
  }
}

void contend(long operations) {
  static std::mutex mutex;
  const auto half = [operations] {
    static long shared = 0;
    for (long i = 0; i < operations / 2; ++i) {
      const std::lock_guard held(mutex);
      shared = shared + 1;
    }
  };
  std::thread other(half);
  half();
  other.join();
}

void hand_over(long operations) {
  static std::mutex mutex;
  static std::condition_variable changed;
  static int turn = 0;
  const auto pass = [operations](int own) {
    std::unique_lock held(mutex);
    for (long i = 0; i < operations / 2; ++i) {
      changed.wait(held, [own] { return turn == own; });
      turn = 1 - own;
      changed.notify_one();
    }
  };
  turn = 0;
  std::thread other(pass, 1);
  pass(0);
  other.join();
}

}  // namespace

int main() {
  measure("mutex_uncontended", 20'000'000, [](long operations) {
    static std::mutex mutex;
    lock_again_and_again(mutex, operations);
  });
  measure("rwlock_uncontended", 10'000'000, [](long operations) {
    static std::shared_mutex mutex;
    lock_again_and_again(mutex, operations);
  });
  measure("mutex_contended_2", 4'000'000, contend);
  measure("condition_pingpong", 20'000, hand_over);
  measure("thread_start_join", 4'000, [](long operations) {
    for (long i = 0; i < operations; ++i) std::thread([] {}).join();
  });
}
