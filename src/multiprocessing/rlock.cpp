#include "tutti/multiprocessing/rlock.h"

#include <utility>

#include "multiprocessing/owned_lock.h"
#include "threading/lock_timeout.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

RLock::RLock() : SharedObject(sizeof(OwnedLock), "tutti-rlock") {}

RLock::RLock(std::string name) : RLock() {
  set_name(std::move(name));
}

LockRef RLock::ref() const noexcept {
  return {&state<OwnedLock>(), runtime::WaitKind::rlock, this};
}

void RLock::acquire() {
  ref().acquire(platform::never);
}

bool RLock::acquire_checked(bool blocking, Timeout timeout) {
  return ref().acquire(threading::lock_deadline(blocking, timeout).value_or(0));
}

void RLock::release() {
  ref().release();
}

bool RLock::recover() {
  return ref().recover();
}

bool RLock::locked() const noexcept {
  return state<OwnedLock>().cell.is_locked();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
