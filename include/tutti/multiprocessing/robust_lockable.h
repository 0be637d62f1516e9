// What Lock, RLock and Condition do with a lock that breaks when its owner dies.
#pragma once

#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Acquiring and releasing a lock that breaks when its owner ends or is killed (a "robust" one, as
/// POSIX calls it), for `Derived`, whose ref() says which lock that is.
template <typename Derived>
class RobustLockable : public threading::TimedLockable<Derived> {
 public:
  /// Waits for the lock; an RLock goes one level deeper if the caller owns it. Throws
  /// OwnerDiedError when it is broken; DeadlockError when that closes a ring of threads that wait
  /// for each other; KeyboardInterrupt in an interrupted main thread.
  void acquire();
  /// As threading::Lock::acquire(blocking, timeout) and acquire(timeout); and throws
  /// OwnerDiedError, as acquire().
  using threading::TimedLockable<Derived>::acquire;

  /// Releases a Lock, whoever holds it: throws RuntimeError when nobody does. Goes one level up in
  /// an RLock, which is free at the outermost level: throws RuntimeError when the caller does not
  /// own it.
  void release();

  /// Waits for the lock, broken or not, and makes it usable again; the caller holds it then, once.
  /// True if it was broken: then what it guards may be half changed, and is the caller's to repair.
  /// By one who holds it already: makes it usable again, held as deep as before. No Python
  /// counterpart.
  bool recover();

  /// True while somebody holds the lock.
  bool locked() const noexcept;

 protected:
  ~RobustLockable() = default;

 private:
  friend threading::TimedLockable<Derived>;

  bool acquire_checked(bool blocking, Timeout timeout);
  const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
