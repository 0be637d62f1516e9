// threading::Barrier: a fixed number of threads wait for each other.
#pragma once

#include <cstdint>
#include <functional>

#include "tutti/platform/floor.h"
#include "tutti/threading/named.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::runtime {
struct Self;
}

namespace tutti::inline TUTTI_ABI::sync {
class Bucket;
enum class Outcome : std::uint8_t;
struct Waiter;
}  // namespace tutti::inline TUTTI_ABI::sync

namespace tutti::inline TUTTI_ABI::threading {

/// A meeting point of `parties` threads, usable again and again: each calls wait(), and all go on
/// when the last has come.
///
///     threading::Barrier step(4, [] { publish(); });   // the last to come publishes
///     for (…) { compute_part(); step.wait(); }
///
/// Thread-safe. Python counterpart: threading.Barrier.
class Barrier : public Named {
 public:
  /// `action` is called by the last thread to come, before the others go on. `timeout` is the
  /// default for wait(). Throws ValueError when `parties` is below 1.
  explicit Barrier(int parties, std::function<void()> action = {}, Timeout timeout = forever);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Waits for the others; returns this thread's rank of arrival, 0 to parties - 1, different for
  /// each unless one was interrupted. Throws BrokenBarrierError when the barrier is broken or
  /// breaks meanwhile: when it is aborted or reset, when one of the waiting threads runs into its
  /// time-out (then it breaks the barrier for all), or when the action throws (that exception goes
  /// to the thread that called it).
  int wait();
  int wait(Timeout timeout);

  /// Empty and unbroken again; threads that wait get BrokenBarrierError.
  void reset();
  /// Breaks the barrier: all present and future waits throw BrokenBarrierError until reset().
  void abort();

  int parties() const noexcept { return parties_; }
  /// Threads waiting now.
  int n_waiting() const noexcept;
  bool broken() const noexcept;

 private:
  enum class State : std::uint32_t { filling, acting, broken };

  struct Arrival {
    int rank;
    /// The last to come, who is to call the action of this round.
    bool acts;
    std::uint32_t round;
  };

  Arrival arrive(Timeout timeout);
  void wait_for_others(runtime::Self& self, sync::Bucket& bucket, std::int64_t deadline);
  void wait_for_end_of_action(runtime::Self& self, sync::Bucket& bucket);
  void act(std::uint32_t round);
  sync::Waiter* end_round(sync::Bucket& bucket, State next, sync::Outcome outcome) noexcept;
  void refuse_all(State next);
  [[noreturn]] void throw_broken() const;

  const int parties_;
  const Timeout timeout_;
  const std::function<void()> action_;

  // Changed under the guard of the bucket in which the waiters queue; atomic for those who only
  // ask.
  std::uint32_t round_ = 0;
  /// The thread that runs the action, in state acting.
  std::uint32_t actor_ = 0;
  platform::atomic<std::int32_t> count_{0};
  platform::atomic<State> state_{State::filling};
};

}  // namespace tutti::inline TUTTI_ABI::threading
