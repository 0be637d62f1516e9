#include "tutti/multiprocessing/lock.h"

#include <utility>

#include "multiprocessing/owned_lock.h"
#include "runtime/describe.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

Lock::Lock() : SharedObject(sizeof(OwnedLock), "tutti-lock") {}

Lock::Lock(std::string name) : Lock() {
  set_name(std::move(name));
}

LockRef Lock::ref() const noexcept {
  return {&state<OwnedLock>(), runtime::WaitKind::lock, this};
}

void Lock::lock() {
  const LockRef lock = ref();
  if (lock.acquire_plainly()) return;
  if (lock.is_mine()) {
    throw DeadlockError(runtime::describe_calling_thread() + " locks " +
                        runtime::describe(runtime::WaitKind::lock, this) +
                        ", which it holds itself: take an RLock to do that, or acquire() if "
                        "another process is to release it");
  }
  lock.acquire(platform::never);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
