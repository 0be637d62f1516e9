// A lock in shared memory that knows when its owner has died: what Lock and RLock are made of.
#pragma once

#include <cstdint>

#include "multiprocessing/shared_lock_cell.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// The lock word, how deep it is held, and who has died with it. Zero-initialised it is free.
///
/// Broken: its owner died. Whoever inherits the word from the dead first writes down who that was,
/// `dead_process` last, and gives the word back; from then on the lock is acquired in vain until it
/// is recovered. An heir that is killed in between leaves the word to the next heir. The rest is
/// written by the owner of the word alone; `levels` is 0 whenever nobody alive has it, for an heir
/// sets it so.
struct OwnedLock {
  SharedLockCell cell;
  /// Levels below the outermost.
  platform::atomic<std::uint32_t> levels;
  /// Not 0: broken by a thread of that process.
  platform::atomic<std::uint32_t> dead_process;
  runtime::SharedText dead_thread;
};

/// A lock in shared memory, as one of its handles sees it. Handed to the functions here by value.
struct LockRef {
  OwnedLock* state;
  /// lock or rlock; an rlock goes deeper.
  runtime::WaitKind kind;
  /// The handle, which messages and the wait record name.
  const void* handle;

  bool is_mine() const noexcept { return state->cell.is_mine(); }
  /// Broken, or about to be: its owner is dead.
  bool is_broken() const noexcept;
  /// What acquire() and release() of a lock that is no rlock mostly are; false if they have to be
  /// called.
  bool acquire_plainly() const noexcept {
    if (!state->cell.take_plainly()) return false;
    if (state->dead_process.load(platform::relaxed) == 0) [[likely]]
      return true;
    state->cell.release();  // acquire() says that it is broken.
    return false;
  }
  bool release_plainly() const noexcept { return state->cell.drop_plainly(); }
  /// Waits until `deadline`; one that has passed tries only. Throws OwnerDiedError if it is broken,
  /// with nothing acquired; KeyboardInterrupt; DeadlockError.
  bool acquire(std::int64_t deadline) const;
  /// Throws RuntimeError when nobody holds it, or, for an rlock, when the caller does not.
  void release() const;
  /// Waits until it is the caller's, broken or not, and not broken any more: true if it was.
  bool recover() const;

  /// For Condition: gives it up, however deep it is held. Returns how deep that was.
  std::uint32_t release_in_full() const noexcept;
  /// Waits without limit to have it as it was, if the caller does not have it. It is the caller's
  /// in any case: false if it is broken.
  bool reacquire(std::uint32_t levels) const;
  [[noreturn]] void throw_broken() const;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
