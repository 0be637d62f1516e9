// threading::RLock: a lock that its owner may acquire again.
#pragma once

#include <concepts>
#include <cstdint>

#include "tutti/sync/lock_cell.h"
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
class RLock : public TimedLockable<RLock> {
 public:
  constexpr RLock() noexcept = default;
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;

  /// Waits for the lock, or goes one level deeper if the caller owns it. Throws OwnerDiedError when
  /// its owner vanished in a fork, KeyboardInterrupt in an interrupted main thread.
  void acquire() {
    if (cell_.is_mine()) {
      deeper();
    } else {
      cell_.acquire(sync::WaitKind::rlock);
      depth_ = 1;
    }
  }

  /// As Lock::acquire(blocking, timeout).
  template <std::same_as<bool> Bool>
  bool acquire(Bool blocking, Timeout timeout = forever) {
    return acquire_checked(blocking, timeout);
  }
  bool acquire(Timeout timeout) { return acquire_checked(true, timeout); }
  /// Write acquire(true) or acquire(1s): see Lock::acquire(int).
  bool acquire(int) = delete;

  /// Goes one level up; at the outermost level the lock is free. Throws RuntimeError when the
  /// caller does not own it.
  void release() {
    if (!cell_.is_mine()) throw_not_owner();
    if (depth_ == 1) {
      depth_ = 0;
      cell_.release();
    } else {
      --depth_;
    }
  }

  /// True while some thread owns the lock.
  bool locked() const noexcept { return cell_.is_locked(); }

 private:
  friend class Condition;

  void deeper() {
    if (depth_ == UINT32_MAX) throw_too_deep();
    ++depth_;
  }
  bool acquire_checked(bool blocking, Timeout timeout);
  [[noreturn]] void throw_not_owner() const;
  [[noreturn]] void throw_too_deep() const;

  sync::LockCell cell_;
  std::uint32_t depth_ = 0;  // Read and written by the owner only.
};

}  // namespace tutti::inline TUTTI_ABI::threading
