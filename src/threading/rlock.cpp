#include "tutti/threading/rlock.h"

#include <limits>

#include "threading/errors.h"
#include "threading/lock_timeout.h"

namespace tutti::inline TUTTI_ABI::threading {

void RLock::acquire_slow() {
  if (cell_.is_mine()) {
    go_deeper();
  } else {
    cell_.acquire(sync::WaitKind::rlock);
  }
}

bool RLock::acquire_checked(bool blocking, Timeout timeout) {
  const std::optional<std::int64_t> deadline = lock_deadline(blocking, timeout);
  if (deadline == platform::never) {
    acquire();
    return true;
  }
  const platform::Operation operation(deadline ? "RLock.acquire" : "RLock.acquire(false)", this);
  if (cell_.is_mine()) {
    go_deeper();
    return true;
  }
  if (deadline) return cell_.acquire(sync::WaitKind::rlock, *deadline);
  return cell_.try_acquire(sync::WaitKind::rlock) || operation.in_vain();
}

void RLock::release_slow() {
  if (!cell_.is_mine()) {
    throw_misuse("release", sync::WaitKind::rlock, this,
                 cell_.is_locked() ? "another thread owns it" : "it is not acquired");
  }
  const std::uint32_t levels = levels_.load(platform::relaxed);
  if (levels == 0) {
    cell_.release();
  } else {
    levels_.store(levels - 1, platform::relaxed);
  }
}

void RLock::go_deeper() {
  const std::uint32_t levels = levels_.load(platform::relaxed);
  if (levels == std::numeric_limits<std::uint32_t>::max()) {
    throw_misuse("acquire", sync::WaitKind::rlock, this, "it is acquired 4294967296 levels deep");
  }
  levels_.store(levels + 1, platform::relaxed);
}

}  // namespace tutti::inline TUTTI_ABI::threading
