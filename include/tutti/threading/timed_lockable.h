// What std::unique_lock, std::scoped_lock and friends call, given acquire().
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

/// Gives `Derived`, which has acquire(bool), acquire(Timeout) and release(), the names of std's
/// TimedLockable.
template <typename Derived>
class TimedLockable {
 public:
  void lock() { self().acquire(); }
  bool try_lock() { return self().acquire(false); }
  void unlock() { self().release(); }

  template <typename Rep, typename Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> duration) {
    // std has a negative duration poll.
    return self().acquire(Timeout(duration).is_negative() ? Timeout(0) : Timeout(duration));
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
