// multiprocessing::Semaphore and BoundedSemaphore.
#pragma once

#include <cstdint>
#include <string>

#include "tutti/multiprocessing/shared_object.h"
#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A count of free places, for all processes together: acquire() takes one and waits while there is
/// none, release() gives some back. Waiters are served first come, first served.
///
///     multiprocessing::Semaphore licences(10);
///     std::scoped_lock one_of_ten(licences);
///
/// A handle: copies are the same semaphore. Who is killed while it waits takes no place; but places
/// belong to nobody, so those that a killed process had taken stay taken, as in Python. Counts go
/// up to 2,147,483,647, and at most 4096 threads can wait at a time. Thread-safe. Python
/// counterpart: multiprocessing.Semaphore.
class Semaphore : public SharedObject, public threading::TimedLockable<Semaphore> {
 public:
  /// Throws ValueError when `value` is negative, OSError when the system has no memory or
  /// descriptor for it.
  explicit Semaphore(int value = 1);
  /// With a name for messages.
  Semaphore(int value, std::string name);

  /// Takes one, waiting while there is none. Throws KeyboardInterrupt in an interrupted main
  /// thread, RuntimeError when 4096 threads wait already.
  void acquire();
  /// acquire(blocking, timeout) and acquire(timeout): takes one if there is one, or comes within
  /// `timeout` if `blocking`; true if it was taken. A negative timeout polls. Throws ValueError for
  /// a timeout of a call that does not block.
  using TimedLockable::acquire;

  /// Gives back `n`: as many of the longest waiting threads go on. Throws ValueError when `n` is
  /// below 1 or the count would pass its limit.
  void release(int n = 1);

  /// The number of free places at this moment.
  int value() const noexcept;
  /// Python's name for value().
  int get_value() const noexcept { return value(); }

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Semaphore& semaphore) {
    semaphore.pass(archive, "Semaphore");
  }

 protected:
  struct State;

  /// That the count never passes `limit`, which release() then refuses.
  Semaphore(int value, int limit);
  [[noreturn]] void throw_bad_release(int n) const;

 private:
  friend TimedLockable;

  bool acquire_checked(bool blocking, Timeout timeout);
  bool acquire_until(std::int64_t deadline);
  bool acquire_slow(std::int64_t deadline);
};

/// A semaphore that refuses to be released more often than it was acquired.
/// Python counterpart: multiprocessing.BoundedSemaphore.
class BoundedSemaphore : public Semaphore {
 public:
  /// As Semaphore.
  explicit BoundedSemaphore(int value = 1) : Semaphore(value, value) {}
  /// With a name for messages.
  BoundedSemaphore(int value, std::string name) : Semaphore(value, value) {
    set_name(std::move(name));
  }

  template <typename Archive>
  static void tutti_serialize(Archive& archive, BoundedSemaphore& semaphore) {
    Semaphore::tutti_serialize(archive, semaphore);
  }
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
