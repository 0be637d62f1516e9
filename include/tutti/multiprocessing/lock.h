// multiprocessing::Lock: mutual exclusion among processes.
#pragma once

#include <string>

#include "tutti/multiprocessing/robust_lockable.h"
#include "tutti/multiprocessing/shared_object.h"

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
class Lock : public SharedObject, public RobustLockable<Lock> {
 public:
  /// Free. Throws OSError when the system has no memory or descriptor for it.
  Lock();
  /// With a name for messages.
  explicit Lock(std::string name);

  /// What std::scoped_lock and std::unique_lock call: acquire() for those who release the lock
  /// themselves, so that holding it already throws DeadlockError at once.
  void lock();

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Lock& lock) {
    lock.pass(archive, "Lock");
  }

 private:
  friend class Condition;
  friend RobustLockable;

  LockRef ref() const noexcept;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
