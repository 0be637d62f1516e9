#include "tutti/threading/rlock.h"

#include "threading/errors.h"
#include "threading/lock_timeout.h"

namespace tutti::inline TUTTI_ABI::threading {

bool RLock::acquire_checked(bool blocking, Timeout timeout) {
  const std::optional<std::int64_t> deadline = lock_deadline(blocking, timeout);
  if (cell_.is_mine()) {
    deeper();
    return true;
  }
  const bool acquired =
      deadline ? cell_.acquire(sync::WaitKind::rlock, *deadline) : cell_.try_acquire();
  if (acquired) depth_ = 1;
  return acquired;
}

void RLock::throw_not_owner() const {
  throw_misuse("release", sync::WaitKind::rlock, this,
               cell_.is_locked() ? "another thread owns it" : "it is not acquired");
}

void RLock::throw_too_deep() const {
  throw_misuse("acquire", sync::WaitKind::rlock, this, "it is acquired 4294967295 levels deep");
}

}  // namespace tutti::inline TUTTI_ABI::threading
