// multiprocessing::Barrier: a fixed number of threads of several processes wait for each other.
#pragma once

#include <cstdint>
#include <functional>

#include "tutti/multiprocessing/shared_object.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A meeting point of `parties` threads, of whichever processes, usable again and again: each calls
/// wait(), and all go on when the last has come.
///
///     multiprocessing::Barrier step(4);
///     for (…) { compute_part(); step.wait(); }
///
/// A handle: copies are the same barrier. A party that is killed while it waits, or while it runs
/// the action, breaks the barrier for the others; one that is killed elsewhere just does not come,
/// which only a time-out can tell. At most 4096 threads can wait at a time. Thread-safe. Python
/// counterpart: multiprocessing.Barrier.
class Barrier : public SharedObject {
 public:
  /// `action` is called by the last thread to come, before the others go on, in its process: by the
  /// function that its handle has, which copies and forks have, too, but not handles that were
  /// passed to spawned processes. `timeout` is the default for wait(). Throws ValueError when
  /// `parties` is below 1, OSError when the system has no memory or descriptor for it.
  explicit Barrier(int parties, std::function<void()> action = {}, Timeout timeout = forever);

  /// Waits for the others; returns this thread's rank of arrival, 0 to parties - 1, different for
  /// each unless one was interrupted. Throws BrokenBarrierError when the barrier is broken or
  /// breaks meanwhile: when it is aborted or reset, when one of the waiting threads runs into its
  /// time-out or dies (then it breaks the barrier for all), or when the action throws (that
  /// exception goes to the thread that called it).
  int wait();
  int wait(Timeout timeout);

  /// Empty and unbroken again; threads that wait get BrokenBarrierError.
  void reset();
  /// Breaks the barrier: all present and future waits throw BrokenBarrierError until reset().
  void abort();

  int parties() const noexcept;
  /// Threads waiting now.
  int n_waiting() const noexcept;
  bool broken() const noexcept;

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Barrier& barrier) {
    barrier.pass(archive, "Barrier");
    std::int64_t timeout = barrier.timeout_;
    archive(timeout);
    if constexpr (Archive::is_reading) {
      barrier.timeout_ = timeout;
      barrier.action_ = {};
    }
  }
  /// With one party: for who reads it from a message.
  Barrier() : Barrier(1) {}

 private:
  struct State;

  int wait_until(std::int64_t deadline);
  void act(std::uint32_t round);
  void refuse_all(bool breaks);
  [[noreturn]] void throw_broken() const;

  /// Of the default time-out; platform::never is none.
  std::int64_t timeout_;
  std::function<void()> action_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
