#include "tutti/multiprocessing/robust_lockable.h"

#include <type_traits>

#include "multiprocessing/owned_lock.h"
#include "threading/lock_timeout.h"
#include "tutti/multiprocessing/condition.h"
#include "tutti/multiprocessing/lock.h"
#include "tutti/multiprocessing/rlock.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

template <typename Derived>
void RobustLockable<Derived>::acquire() {
  const LockRef lock = self().ref();
  // Others may be RLocks.
  if (std::is_same_v<Derived, Lock> && lock.acquire_plainly()) return;
  lock.acquire(platform::never);
}

template <typename Derived>
bool RobustLockable<Derived>::acquire_checked(bool blocking, Timeout timeout) {
  return self().ref().acquire(threading::lock_deadline(blocking, timeout).value_or(0));
}

template <typename Derived>
void RobustLockable<Derived>::release() {
  const LockRef lock = self().ref();
  if (std::is_same_v<Derived, Lock> && lock.release_plainly()) return;
  lock.release();
}

template <typename Derived>
bool RobustLockable<Derived>::recover() {
  return self().ref().recover();
}

template <typename Derived>
bool RobustLockable<Derived>::locked() const noexcept {
  return self().ref().state->cell.is_locked();
}

template class RobustLockable<Lock>;
template class RobustLockable<RLock>;
template class RobustLockable<Condition>;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
