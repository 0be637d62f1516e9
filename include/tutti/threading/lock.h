// threading::Lock: mutual exclusion, four bytes.
#pragma once

#include <string>
#include <utility>

#include "tutti/sync/lock_cell.h"
#include "tutti/threading/named.h"
#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

class Condition;

/// A lock that one thread at a time can hold. Not recursive.
///
///     threading::Lock accounts;
///     {
///       std::scoped_lock held(accounts);   // "with accounts:"
///       …
///     }
///
/// As in Python, a thread may release a lock that another one acquired; such a lock is then a
/// signal between threads, and no owner is known for it any more. Barging is allowed, starvation is
/// not: a waiter that has waited for half a millisecond gets the lock handed over.
///
/// Thread-safe; constant-initialised, so usable in static objects; destroy it only while no thread
/// uses it. Python counterpart: threading.Lock.
class Lock : public TimedLockable<Lock>, public Named {
 public:
  constexpr Lock() noexcept = default;
  /// With a name for messages.
  explicit Lock(std::string name) : Named(std::move(name)) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// Waits for the lock. Throws DeadlockError when that closes a ring of threads that wait for each
  /// other, or when the caller holds it and no other thread is left that could release it;
  /// OwnerDiedError when its owner has ended or vanished in a fork; KeyboardInterrupt in an
  /// interrupted main thread.
  void acquire() {
    const platform::Operation operation("Lock.acquire", this, is_open);
    cell_.acquire(sync::WaitKind::lock);
  }

  /// What std::scoped_lock and std::unique_lock call: acquire() for those who release the lock
  /// themselves, so that holding it already is a deadlock with oneself, and throws DeadlockError at
  /// once. After a bare acquire() another thread may be meant to release it.
  void lock() {
    const platform::Operation operation("Lock.acquire", this, is_open);
    cell_.lock(sync::WaitKind::lock);
  }

  /// acquire(blocking, timeout) and acquire(timeout): waits for the lock if `blocking`, at most for
  /// `timeout`; true if it was acquired. A timeout of -1 means no limit. Throws ValueError for any
  /// other negative timeout, and for a timeout of a call that does not block.
  using TimedLockable::acquire;

  /// Releases the lock, whoever holds it. Throws RuntimeError when nobody does.
  void release() {
    const platform::Operation operation("Lock.release", this);
    if (!cell_.release()) throw_not_held();
  }

  /// True while somebody holds the lock.
  bool locked() const noexcept {
    const platform::Operation operation("Lock.locked", this, platform::Access::read);
    return operation.saw(cell_.is_locked());
  }

  // Spellings of Python 2.
  template <typename... Args>
  auto acquire_lock(Args... args) {
    return acquire(args...);
  }
  void release_lock() { release(); }
  bool locked_lock() const noexcept { return locked(); }

 private:
  friend class Condition;
  friend TimedLockable;

  static bool is_open(const void* lock) noexcept {
    return static_cast<const Lock*>(lock)->cell_.is_open();
  }
  bool try_acquire() {
    const platform::Operation operation("Lock.acquire(false)", this);
    return cell_.try_acquire(sync::WaitKind::lock) || operation.in_vain();
  }
  bool acquire_checked(bool blocking, Timeout timeout) {
    if (!blocking && timeout.is_forever()) return try_acquire();
    return acquire_timed(blocking, timeout);
  }
  bool acquire_timed(bool blocking, Timeout timeout);
  [[noreturn]] void throw_not_held() const;

  sync::LockCell cell_;
};

}  // namespace tutti::inline TUTTI_ABI::threading
