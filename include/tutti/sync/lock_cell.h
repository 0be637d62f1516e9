// The lock word: 32 bits that say who owns a lock and whether anyone waits.
#pragma once

#include <cstdint>

#include "tutti/platform/floor.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::sync {

using runtime::WaitKind;

class LockWait;

/// A lock in one word. Zero-initialised it is free; trivially destructible; not recursive.
///
///      31            18 17             2   1        0
///     ┌────────────────┬────────────────┬───┬─────────┐
///     │ generation     │ slot           │ 0 │ WAITERS │
///     └────────────────┴────────────────┴───┴─────────┘
///       owner: the thread's id, or 0 = free
///
/// WAITERS  threads are queued for the word in the parking lot. Set by a waiter under the queue's
///          guard while the lock is held; cleared under the guard by a release.
/// Two owners with slot 0 stand for a lock that was once released by another thread than the one
/// that acquired it: such a lock is a signal, and nobody owns it any more (signal_held,
/// signal_free).
///
/// Transitions: take 0 → me; drop me → 0 (both inline, alone in their cache line, no queue); the
/// rest is in lock_cell.cpp, by the rules of lock_wait.h. One of them is the hand-over: a release
/// gives a lock to the first waiter, instead of leaving it to whoever comes next, once that has
/// starved.
class LockCell {
 public:
  constexpr LockCell() noexcept = default;
  LockCell(const LockCell&) = delete;
  LockCell& operator=(const LockCell&) = delete;

  /// True if the lock was free and is now the caller's.
  bool try_acquire(WaitKind kind) { return take_plainly() || try_acquire_slow(kind); }

  /// Waits until `deadline` (monotonic nanoseconds) at most. False when it passed.
  bool acquire(WaitKind kind, std::int64_t deadline = platform::never) {
    return take_plainly() || acquire_slow(kind, deadline);
  }

  /// Waits for a lock that the caller can't hold already. Throws DeadlockError if it does.
  void lock(WaitKind kind) {
    if (!take_plainly()) lock_slow(kind);
  }

  /// Releases a lock that the caller owns or, as a signal, one that anybody holds. False when it
  /// was free.
  bool release() noexcept { return drop_plainly() || release_slow(); }

  /// Releases it if it is owned by a thread that has ended: `dead`. The caller waits for it.
  void release_for_dead(std::uint32_t dead) noexcept;

  bool is_locked() const noexcept { return !is_free(word_.load(platform::relaxed)); }
  /// True if an acquire by the calling thread would not wait for another one's release: it is free,
  /// or the caller's own, or the caller has been interrupted.
  bool is_open() const noexcept;
  /// True if the calling thread owns it. A plain load: only the owner itself can make it true.
  bool is_mine() const noexcept { return is_plainly_mine() || is_mine_slow(); }
  /// The same, but false for daemon threads, and for locks held since before a fork.
  bool is_plainly_mine() const noexcept {
    const std::uint32_t pass = platform::current().pass;
    return pass != 0 && owner_of(word_.load(platform::relaxed)) == pass;
  }
  /// Releases the lock if the caller owns it and nobody waits; may say no to a daemon thread all
  /// the same.
  bool drop_plainly() noexcept {
    const std::uint32_t pass = platform::current().pass;
    std::uint32_t expected = pass;
    return pass != 0 &&
           word_.compare_exchange_strong(expected, 0, platform::release, platform::relaxed);
  }
  /// Takes the lock if it is free; may say no to a daemon thread all the same.
  bool take_plainly() noexcept {
    const std::uint32_t pass = platform::current().pass;
    std::uint32_t expected = 0;
    // acquire: pairs with the release in release() and in lock_cell.cpp.
    return pass != 0 &&
           word_.compare_exchange_strong(expected, pass, platform::acquire, platform::relaxed);
  }
  /// True if it is held as a signal, by nobody in particular.
  bool is_held_signal() const noexcept {
    return owner_of(word_.load(platform::relaxed)) == signal_held;
  }
  /// True if it is a signal, held or free.
  bool is_signal() const noexcept {
    const std::uint32_t owner = owner_of(word_.load(platform::relaxed));
    return owner == signal_held || owner == signal_free;
  }
  /// The id of the owning thread; 0 when free or a signal.
  std::uint32_t owner() const noexcept;

  static constexpr std::uint32_t waiters_bit = 1;
  static constexpr std::uint32_t owner_mask = ~std::uint32_t{3};
  static constexpr std::uint32_t owner_shift = 2;

 private:
  friend class LockWait;

  // Slot 0 belongs to no thread, so these ids are nobody's.
  static constexpr std::uint32_t slot_bits = 16;
  static constexpr std::uint32_t signal_free = std::uint32_t{1} << (slot_bits + owner_shift);
  static constexpr std::uint32_t signal_held = std::uint32_t{2} << (slot_bits + owner_shift);
  static constexpr std::uint32_t owner_of(std::uint32_t word) { return word & owner_mask; }
  static constexpr bool is_free(std::uint32_t word) {
    return owner_of(word) == 0 || owner_of(word) == signal_free;
  }

  bool try_acquire_slow(WaitKind kind);
  bool acquire_slow(WaitKind kind, std::int64_t deadline);
  void lock_slow(WaitKind kind);
  bool release_slow() noexcept;
  bool is_mine_slow() const noexcept;

  platform::atomic<std::uint32_t> word_{0};
};

}  // namespace tutti::inline TUTTI_ABI::sync
