// Two threads that signal each other by two flags, each cleared by the one that waited for it. One
// round is there and back.
//
// The semaphore is there for information: it can do less (one waiter). std::atomic's own wait is
// not here, because in libstdc++ 12 it was seen to lose a wake-up, and the run never ended.
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <semaphore>

#include "together.h"
#include "tutti/threading.h"

namespace {

class ConditionPair {
 public:
  void set() {
    {
      std::scoped_lock held(mutex_);
      is_set_ = true;
    }
    changed_.notify_all();
  }
  void clear() {
    std::scoped_lock held(mutex_);
    is_set_ = false;
  }
  void wait() {
    std::unique_lock held(mutex_);
    changed_.wait(held, [&] { return is_set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

class BinarySemaphore {
 public:
  void set() { semaphore_.release(); }
  void clear() {}
  void wait() { semaphore_.acquire(); }

 private:
  std::binary_semaphore semaphore_{0};
};

template <typename Flag>
void event_set_wait(benchmark::State& state) {
  alignas(64) Flag there;
  alignas(64) Flag back;
  together(state, 2, [&](int me, std::int64_t rounds) {
    for (std::int64_t round = 0; round < rounds; ++round) {
      if (me == 0) {
        there.set();
        back.wait();
        back.clear();
      } else {
        there.wait();
        there.clear();
        back.set();
      }
    }
  });
}

BENCHMARK_TEMPLATE(event_set_wait, tutti::threading::Event)
    ->Name("event_set_wait/tutti")
    ->UseManualTime();
BENCHMARK_TEMPLATE(event_set_wait, ConditionPair)
    ->Name("event_set_wait/std_condition_pair")
    ->UseManualTime();
BENCHMARK_TEMPLATE(event_set_wait, BinarySemaphore)
    ->Name("event_set_wait/std_binary_semaphore")
    ->UseManualTime();

}  // namespace
