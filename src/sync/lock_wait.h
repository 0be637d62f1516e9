// The slow path of acquiring a lock word.
#pragma once

#include <cstdint>

#include "sync/parking_lot.h"
#include "tutti/sync/lock_cell.h"

namespace tutti::inline TUTTI_ABI::sync {

/// One thread's wait for one lock.
///
/// Protocol. I1: WAITERS set ⇒ the lock is held. I2: threads queued ⇒ WAITERS is set, or an heir is
/// under way: a waiter that a release took out of the queue to try again. A release with WAITERS
/// makes the first in the queue the heir and clears the bit, so while the heir is waking up, others
/// may take the lock at full speed (barging) and no second one is woken. The heir either takes the
/// lock, setting WAITERS for those it left behind, or goes back to the head of the queue, which
/// sets WAITERS again. If the first in the queue has waited too long, a release hands the lock over
/// to it instead: it owns the lock from that moment, and nobody can come in between.
class LockWait {
 public:
  LockWait(LockCell& cell, Waiter& waiter) noexcept : cell_(cell), waiter_(waiter) {}

  /// Queues for the lock and waits for it. False at the deadline. Throws KeyboardInterrupt.
  bool wait(std::int64_t deadline);

  /// Takes the lock whatever happens, for a thread that can't go on without: no deadline, and an
  /// interruption stays pending.
  void wait_unconditionally() noexcept;

  /// The same for a waiter that was woken from another queue: by a release of the lock, if it had
  /// been moved to the lock's queue, or directly.
  void resume_unconditionally() noexcept;

  /// Sets WAITERS; false if the lock is free. The guard of the lock's bucket is held.
  static bool mark_waiters(LockCell& cell) noexcept;

 private:
  enum class Place { tail, head };

  /// True if the lock was free, and so taken instead.
  bool enqueue_or_take(Place place) noexcept;
  bool take_as_heir() noexcept;
  /// What a waiter does once it was taken out of the queue; true if the lock is its own.
  bool after_wake() noexcept;
  /// Writes down that the lock is taken.
  void note() const noexcept;
  /// The same where it was not noted before that it would be.
  void note_again() const noexcept;

  LockCell& cell_;
  Waiter& waiter_;
};

/// Gives a waiter that waits in some other queue a place in the lock's, if the lock is held: its
/// turn comes when the lock is released. False if the lock is free. Both buckets' guards are held.
/// `kind` is what the lock is.
bool move_to_lock_queue(Waiter& waiter, Bucket& from, LockCell& cell, WaitKind kind,
                        Bucket& to) noexcept;

}  // namespace tutti::inline TUTTI_ABI::sync
