// multiprocessing::Lock: mutual exclusion among processes.
#pragma once

#include <concepts>
#include <string>

#include "tutti/multiprocessing/shared_object.h"
#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

class Condition;
struct LockRef;

/// A lock that one thread of all processes at a time can hold. Not recursive.
///
///     multiprocessing::Lock log;
///     multiprocessing::Process child([log]() mutable {
///       std::scoped_lock held(log);
///       …
///     });
///
/// A handle: copies are the same lock, in whichever process. What threading::Lock promises holds
/// here, too: anybody may release it, which makes it a signal without an owner; who has waited for
/// half a millisecond is overtaken no more. A child of a fork does not own what its parent holds.
///
/// If its owner ends or is killed, the lock is broken: whoever acquires it gets OwnerDiedError,
/// until somebody who can repair what it guards has called recover().
///
/// Thread-safe. Python counterpart: multiprocessing.Lock.
class Lock : public SharedObject, public threading::TimedLockable<Lock> {
 public:
  /// Free. Throws OSError when the system has no memory or descriptor for it.
  Lock();
  /// With a name for messages.
  explicit Lock(std::string name);

  /// Waits for the lock. Throws OwnerDiedError when it is broken; DeadlockError when that closes a
  /// ring of threads that wait for each other; KeyboardInterrupt in an interrupted main thread.
  void acquire();
  /// What std::scoped_lock and std::unique_lock call: acquire() for those who release the lock
  /// themselves, so that holding it already throws DeadlockError at once.
  void lock();
  /// As threading::Lock::acquire(blocking, timeout); and throws OwnerDiedError, as acquire().
  template <std::same_as<bool> Bool>
  bool acquire(Bool blocking, Timeout timeout = forever) {
    return acquire_checked(blocking, timeout);
  }
  bool acquire(Timeout timeout) { return acquire_checked(true, timeout); }
  /// Write acquire(true) or acquire(1s): see threading::Lock.
  template <threading::BareInteger Number>
  bool acquire(Number) = delete;

  /// Releases the lock, whoever holds it. Throws RuntimeError when nobody does.
  void release();

  /// Waits for the lock, broken or not, and makes it usable again; the caller holds it then. True
  /// if it was broken: then what it guards may be half changed, and is the caller's to repair. By
  /// one who holds it already: makes it usable again. No Python counterpart.
  bool recover();

  /// True while somebody holds the lock.
  bool locked() const noexcept;

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Lock& lock) {
    lock.pass(archive, "Lock");
  }

 private:
  friend class Condition;

  bool acquire_checked(bool blocking, Timeout timeout);
  LockRef ref() const noexcept;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
