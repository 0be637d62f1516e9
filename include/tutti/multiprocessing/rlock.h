// multiprocessing::RLock: a lock among processes that its owner may acquire again.
#pragma once

#include <string>

#include "tutti/multiprocessing/robust_lockable.h"
#include "tutti/multiprocessing/shared_object.h"

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
class RLock : public SharedObject, public RobustLockable<RLock> {
 public:
  /// Free. Throws OSError when the system has no memory or descriptor for it.
  RLock();
  /// With a name for messages.
  explicit RLock(std::string name);

  template <typename Archive>
  static void tutti_serialize(Archive& archive, RLock& lock) {
    lock.pass(archive, "RLock");
  }

 private:
  friend class Condition;
  friend RobustLockable;

  LockRef ref() const noexcept;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
