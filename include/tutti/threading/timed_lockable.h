// The forms of acquire() that may fail, and what std::unique_lock, std::scoped_lock and friends
// call.
#pragma once

#include <chrono>
#include <concepts>
#include <mutex>  // std::scoped_lock and std::unique_lock, which are how our locks are held.

#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

/// A number that Python would take as a truth value and a C++ reader as seconds: acquire() refuses
/// it.
template <typename Number>
concept BareInteger = std::integral<Number> && !std::same_as<Number, bool>;

/// Gives `Derived`, which has acquire(), release() and acquire_checked(bool blocking, Timeout
/// timeout), the forms of acquire() that may fail, and the names of std's TimedLockable. It says
/// `using TimedLockable::acquire;`, and what its timeouts mean.
template <typename Derived>
class TimedLockable {
 public:
  /// Acquires it at once or, if `blocking`, within `timeout`; true if it was acquired.
  template <std::same_as<bool> Bool>
  bool acquire(Bool blocking, Timeout timeout = forever) {
    return self().acquire_checked(blocking, timeout);
  }
  /// The same as acquire(true, timeout).
  bool acquire(Timeout timeout) { return self().acquire_checked(true, timeout); }
  /// Python reads acquire(1) as "blocking", a C++ reader as "one second": write acquire(true) or
  /// acquire(1s).
  template <BareInteger Number>
  bool acquire(Number) = delete;

  void lock() { self().acquire(); }
  bool try_lock() { return acquire(false); }
  void unlock() { self().release(); }

  template <typename Rep, typename Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> duration) {
    // std has a negative duration poll.
    return acquire(Timeout(duration).is_negative() ? Timeout(0) : Timeout(duration));
  }

  template <typename Clock, typename Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> time) {
    // Another clock may run at another pace: look again until it agrees that the time has come.
    for (;;) {
      const auto now = Clock::now();
      if (time <= now) return try_lock();
      if (try_lock_for(time - now)) return true;
    }
  }

 protected:
  ~TimedLockable() = default;

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
};

}  // namespace tutti::inline TUTTI_ABI::threading
