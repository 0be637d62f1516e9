#include "tutti/multiprocessing/lock.h"

#include <utility>

#include "multiprocessing/owned_lock.h"
#include "runtime/describe.h"
#include "threading/lock_timeout.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

Lock::Lock() : SharedObject(sizeof(OwnedLock), "tutti-lock") {}

Lock::Lock(std::string name) : Lock() {
  set_name(std::move(name));
}

LockRef Lock::ref() const noexcept {
  return {&state<OwnedLock>(), runtime::WaitKind::lock, this};
}

void Lock::acquire() {
  ref().acquire(platform::never);
}

void Lock::lock() {
  if (locked() && ref().is_mine()) {
    throw DeadlockError(runtime::describe_calling_thread() + " locks " +
                        runtime::describe(runtime::WaitKind::lock, this) +
                        ", which it holds itself: take an RLock to do that, or acquire() if "
                        "another process is to release it");
  }
  acquire();
}

bool Lock::acquire_checked(bool blocking, Timeout timeout) {
  return ref().acquire(threading::lock_deadline(blocking, timeout).value_or(0));
}

void Lock::release() {
  ref().release();
}

bool Lock::recover() {
  return ref().recover();
}

bool Lock::locked() const noexcept {
  return state<OwnedLock>().cell.is_locked();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
