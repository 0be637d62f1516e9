// threading::Semaphore and BoundedSemaphore.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "tutti/sync/semaphore_cell.h"
#include "tutti/threading/named.h"
#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

/// A count of free places: acquire() takes one and waits while there is none, release() gives some
/// back. Waiters are served first come, first served.
///
///     threading::Semaphore connections(10);
///     std::scoped_lock one_of_ten(connections);
///
/// Counts go up to 2,147,483,647. Thread-safe; constant-initialised for a constant count. Python
/// counterpart: threading.Semaphore.
class Semaphore : public TimedLockable<Semaphore>, public Named {
 public:
  /// Throws ValueError when `value` is negative.
  constexpr explicit Semaphore(int value = 1) : cell_(checked(value)) {}
  /// With a name for messages.
  Semaphore(int value, std::string name) : Named(std::move(name)), cell_(checked(value)) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Takes one, waiting while there is none. Throws KeyboardInterrupt in an interrupted main
  /// thread.
  void acquire() {
    const platform::Operation operation("Semaphore.acquire", this);
    cell_.acquire();
  }
  /// acquire(blocking, timeout) and acquire(timeout): takes one if there is one, or comes within
  /// `timeout` if `blocking`; true if it was taken. A negative timeout polls. Throws ValueError for
  /// a timeout of a call that does not block.
  using TimedLockable::acquire;

  /// Gives back `n`: as many of the longest waiting threads go on. Throws ValueError when `n` is
  /// below 1 or the count would pass its limit.
  void release(int n = 1) {
    const platform::Operation operation("Semaphore.release", this);
    if (n < 1 || !cell_.give(static_cast<std::uint32_t>(n))) throw_bad_release(n);
  }

  /// The number of free places at this moment.
  int value() const noexcept {
    const platform::Operation operation("Semaphore.value", this, platform::Access::read);
    return operation.saw(static_cast<int>(cell_.count()));
  }

 protected:
  bool give(int n, int limit) noexcept {
    const platform::Operation operation("Semaphore.release", this);
    return cell_.give(static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(limit));
  }
  [[noreturn]] void throw_bad_release(int n) const;

 private:
  friend TimedLockable;

  static constexpr std::uint32_t checked(int value) {
    if (value < 0) throw_bad_value(value);
    return static_cast<std::uint32_t>(value);
  }
  [[noreturn]] static void throw_bad_value(int value);
  bool try_acquire() {
    const platform::Operation operation("Semaphore.acquire(false)", this);
    return cell_.try_acquire() || operation.in_vain();
  }
  bool acquire_checked(bool blocking, Timeout timeout) {
    if (!blocking && timeout.is_forever()) return try_acquire();
    return acquire_timed(blocking, timeout);
  }
  bool acquire_timed(bool blocking, Timeout timeout);

  sync::SemaphoreCell cell_;
};

/// A semaphore that refuses to be released more often than it was acquired.
/// Python counterpart: threading.BoundedSemaphore.
class BoundedSemaphore : public Semaphore {
 public:
  /// Throws ValueError when `value` is negative.
  constexpr explicit BoundedSemaphore(int value = 1) : Semaphore(value), initial_value_(value) {}
  /// With a name for messages.
  BoundedSemaphore(int value, std::string name)
      : Semaphore(value, std::move(name)), initial_value_(value) {}

  /// As Semaphore::release, and throws ValueError when the count would pass the initial value; then
  /// nothing has changed.
  void release(int n = 1) {
    if (n < 1) throw_bad_release(n);
    if (!give(n, initial_value_)) throw_too_many(n);
  }
  void unlock() { release(); }

 private:
  [[noreturn]] void throw_too_many(int n) const;

  int initial_value_;
};

}  // namespace tutti::inline TUTTI_ABI::threading
