// threading::RLock: a lock that its owner may acquire again.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "tutti/sync/lock_cell.h"
#include "tutti/threading/named.h"
#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

class Condition;

/// A recursive lock: the owner may acquire it again, and others get it once the owner has released
/// it as often as it acquired it.
///
///     threading::RLock tree;
///     std::scoped_lock held(tree);   // and again in a function that this one calls
///
/// Thread-safe; constant-initialised. Python counterpart: threading.RLock.
class RLock : public TimedLockable<RLock>, public Named {
 public:
  constexpr RLock() noexcept = default;
  /// With a name for messages.
  explicit RLock(std::string name) : Named(std::move(name)) {}
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;

  /// Waits for the lock, or goes one level deeper if the caller owns it. Throws OwnerDiedError when
  /// its owner vanished in a fork, KeyboardInterrupt in an interrupted main thread.
  void acquire() {
    const platform::Operation operation("RLock.acquire", this, is_open);
    // At the outermost level, with nobody else about, this is all: levels_ is 0 whenever it is
    // free.
    if (!cell_.take_plainly()) acquire_slow();
  }

  /// As Lock::acquire(blocking, timeout) and acquire(timeout).
  using TimedLockable::acquire;

  /// Goes one level up; at the outermost level the lock is free. Throws RuntimeError when the
  /// caller does not own it.
  void release() {
    const platform::Operation operation("RLock.release", this);
    if (levels_.load(platform::relaxed) != 0 || !cell_.drop_plainly()) release_slow();
  }

  /// True while some thread owns the lock.
  bool locked() const noexcept {
    const platform::Operation operation("RLock.locked", this, platform::Access::read);
    return operation.saw(cell_.is_locked());
  }

 private:
  friend class Condition;
  friend TimedLockable;

  static bool is_open(const void* lock) noexcept {
    return static_cast<const RLock*>(lock)->cell_.is_open();
  }
  void acquire_slow();
  void release_slow();
  void go_deeper();
  bool acquire_checked(bool blocking, Timeout timeout);

  sync::LockCell cell_;
  /// Levels below the outermost. Written by the owner only; atomic for those who release it without
  /// owning it, which is found out after it is read.
  platform::atomic<std::uint32_t> levels_{0};
};

}  // namespace tutti::inline TUTTI_ABI::threading
