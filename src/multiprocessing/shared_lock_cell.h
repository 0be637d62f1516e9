// The lock word that processes share.
#pragma once

#include <cstdint>

#include "runtime/registry.h"
#include "runtime/waiting.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

enum class Taken {
  yes,
  /// It is held now, and its last owner died while holding it: what it guards may be half changed.
  from_the_dead,
  timed_out,
};

struct Acquisition {
  Taken taken;
  /// With from_the_dead: who that was.
  runtime::ThreadId last_owner = 0;
};

/// What the wait record says of those who wait.
struct Shown {
  runtime::WaitKind kind = runtime::WaitKind::lock;
  /// Null: the cell.
  const void* object = nullptr;
};

/// A lock in one word of shared memory. Zero-initialised it is free; trivially destructible; not
/// recursive.
///
///      31            18 17             2    1         0
///     ┌────────────────┬────────────────┬─────────┬─────────┐
///     │ generation     │ slot           │ RESERVE │ WAITERS │
///     └────────────────┴────────────────┴─────────┴─────────┘
///       owner: the thread's id, or 0 = free, or the two ids of signals (see LockCell)
///
/// WAITERS  threads may be asleep on the word. Set by a thread that is about to sleep, and by one
///          that takes the lock after it has slept, for others may sleep still; cleared by release.
/// RESERVE  a thread that has slept and starved asks that newcomers wait behind those who sleep:
///          they don't take the lock, free or not, before they have slept once. Cleared by that
///          thread when it has the lock, or gives up.
///
/// Transitions: take 0 → me and drop me → 0, inline; in the slow path take free → me, with the bits
/// of those who wait; drop owner → free, leaving RESERVE, and then wake one sleeper; inherit
/// dead → me; disclaim me → dead, by an heir that is stopped, and then wake one sleeper.
///
/// There is no state but the word, and each transition is one compare-exchange, so whoever is
/// killed leaves a word that is right. What a killed thread may fail to do is to wake somebody, and
/// to clear RESERVE. So sleepers look again by themselves (SharedWait), a reserved lock that nobody
/// has taken meanwhile is anybody's, and a waiter that finds the owner dead inherits.
class SharedLockCell {
 public:
  constexpr SharedLockCell() noexcept = default;
  SharedLockCell(const SharedLockCell&) = delete;
  SharedLockCell& operator=(const SharedLockCell&) = delete;

  /// Waits until `deadline` at most; a deadline that has passed tries only, and inherits all the
  /// same. With Interrupts::heeded throws what breaks the wait off: KeyboardInterrupt,
  /// DeadlockError.
  Acquisition acquire_from(std::int64_t deadline, Shown shown,
                           runtime::Interrupts interrupts = runtime::Interrupts::heeded) {
    return take_plainly() ? Acquisition{Taken::yes} : acquire_slow(deadline, shown, interrupts);
  }
  Taken acquire(std::int64_t deadline = platform::never, Shown shown = {},
                runtime::Interrupts interrupts = runtime::Interrupts::heeded) {
    return acquire_from(deadline, shown, interrupts).taken;
  }
  /// True if it was free, and is the caller's now.
  bool try_acquire() { return take_plainly() || try_acquire_slow(); }

  /// Releases a lock that the caller owns or, as a signal, one that anybody holds. False when it
  /// was free.
  bool release() noexcept { return drop_plainly() || release_slow(); }

  /// The transitions take and drop, if the word is such that nothing else is to be done.
  bool take_plainly() noexcept {
    const std::uint32_t pass = platform::current().pass;
    std::uint32_t expected = 0;
    // acquire: pairs with the release in drop_plainly() and release_slow(). release: whoever sees
    // the new owner, and asks whether it is dead, sees that it has begun to live.
    return pass != 0 &&
           word_.compare_exchange_strong(expected, pass, platform::acq_rel, platform::relaxed);
  }
  bool drop_plainly() noexcept {
    const std::uint32_t pass = platform::current().pass;
    std::uint32_t expected = pass;
    return pass != 0 &&
           word_.compare_exchange_strong(expected, 0, platform::release, platform::relaxed);
  }

  /// The id of the owning thread, dead or alive; 0 when it is free or a signal.
  runtime::ThreadId owner() const noexcept;
  bool is_locked() const noexcept { return !is_free(word_.load(platform::relaxed)); }
  /// True if it is held as a signal, by nobody in particular.
  bool is_held_signal() const noexcept {
    return owner_of(word_.load(platform::relaxed)) == signal_held;
  }
  /// Only the very thread counts, not the one that it was before a fork.
  bool is_mine() const noexcept;

 private:
  class Wait;

  static constexpr std::uint32_t waiters_bit = 1;
  static constexpr std::uint32_t reserve_bit = 2;
  static constexpr std::uint32_t owner_mask = ~std::uint32_t{3};
  static constexpr std::uint32_t owner_shift = 2;
  // Slot 0 belongs to no thread.
  static constexpr std::uint32_t signal_free = std::uint32_t{1} << 18;
  static constexpr std::uint32_t signal_held = std::uint32_t{2} << 18;

  static constexpr std::uint32_t owner_of(std::uint32_t word) { return word & owner_mask; }
  static constexpr bool is_free(std::uint32_t word) {
    return owner_of(word) == 0 || owner_of(word) == signal_free;
  }
  static runtime::ThreadId owner_id(std::uint32_t word) noexcept;

  bool try_acquire_slow();
  Acquisition acquire_slow(std::int64_t deadline, Shown shown, runtime::Interrupts interrupts);
  bool release_slow() noexcept;
  /// By an heir that can't repair anything any more: the next one hears of it, too.
  void disclaim(runtime::ThreadId dead) noexcept;

  platform::atomic<std::uint32_t> word_{0};
};
static_assert(sizeof(SharedLockCell) == 4);

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
