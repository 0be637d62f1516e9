// Two threads that take turns, told so by a condition. One round is there and back.
//
// Each contender in the form that suits it best: std notifies after unlocking, so that the woken
// thread does not run into a held mutex; the other two pass the woken on to the lock by themselves.
#include <absl/synchronization/mutex.h>
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "together.h"
#include "tutti/threading.h"

namespace {

class TuttiTurns {
 public:
  void take(int me) {
    std::scoped_lock held(changed_);
    changed_.wait_for([&] { return turn_ == me; });
    turn_ = 1 - me;
    changed_.notify();
  }

 private:
  tutti::threading::Condition changed_;
  int turn_ = 0;
};

class StdTurns {
 public:
  void take(int me) {
    std::unique_lock held(mutex_);
    changed_.wait(held, [&] { return turn_ == me; });
    turn_ = 1 - me;
    held.unlock();
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int turn_ = 0;
};

class AbslTurns {
 public:
  void take(int me) {
    absl::MutexLock held(&mutex_);
    while (turn_ != me) changed_.Wait(&mutex_);
    turn_ = 1 - me;
    changed_.Signal();
  }

 private:
  absl::Mutex mutex_;
  absl::CondVar changed_;
  int turn_ = 0;
};

template <typename Turns>
void condition_pingpong(benchmark::State& state) {
  Turns turns;
  together(state, 2, [&](int me, std::int64_t rounds) {
    for (std::int64_t round = 0; round < rounds; ++round) turns.take(me);
  });
}

BENCHMARK_TEMPLATE(condition_pingpong, TuttiTurns)
    ->Name("condition_pingpong/tutti")
    ->UseManualTime();
BENCHMARK_TEMPLATE(condition_pingpong, StdTurns)
    ->Name("condition_pingpong/std_condition_variable")
    ->UseManualTime();
BENCHMARK_TEMPLATE(condition_pingpong, AbslTurns)
    ->Name("condition_pingpong/absl_condvar")
    ->UseManualTime();

}  // namespace
