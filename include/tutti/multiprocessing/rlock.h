// multiprocessing::RLock: a lock among processes that its owner may acquire again.
#pragma once

#include <concepts>
#include <string>

#include "tutti/multiprocessing/shared_object.h"
#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

class Condition;
struct LockRef;

/// A recursive lock: the owning thread may acquire it again, and others, of whichever process, get
/// it once the owner has released it as often.
///
///     multiprocessing::RLock tree;
///     std::scoped_lock held(tree);   // and again in a function that this one calls
///
/// A handle, broken by its owner's death as Lock is: see there. Thread-safe. Python counterpart:
/// multiprocessing.RLock.
class RLock : public SharedObject, public threading::TimedLockable<RLock> {
 public:
  /// Free. Throws OSError when the system has no memory or descriptor for it.
  RLock();
  /// With a name for messages.
  explicit RLock(std::string name);

  /// Waits for the lock, or goes one level deeper if the caller owns it. Throws as Lock::acquire.
  void acquire();
  template <std::same_as<bool> Bool>
  bool acquire(Bool blocking, Timeout timeout = forever) {
    return acquire_checked(blocking, timeout);
  }
  bool acquire(Timeout timeout) { return acquire_checked(true, timeout); }
  /// Write acquire(true) or acquire(1s): see threading::Lock.
  template <threading::BareInteger Number>
  bool acquire(Number) = delete;

  /// Goes one level up; at the outermost level the lock is free. Throws RuntimeError when the
  /// caller does not own it.
  void release();

  /// As Lock::recover; the caller holds it once then, or as deep as before.
  bool recover();

  /// True while some thread owns the lock.
  bool locked() const noexcept;

  template <typename Archive>
  static void tutti_serialize(Archive& archive, RLock& lock) {
    lock.pass(archive, "RLock");
  }

 private:
  friend class Condition;

  bool acquire_checked(bool blocking, Timeout timeout);
  LockRef ref() const noexcept;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
