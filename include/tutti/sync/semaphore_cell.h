// A counting semaphore in one word, first come, first served.
#pragma once

#include <cstdint>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::sync {

/// A count that threads take from and give to. Trivially destructible; all zero bits = count 0.
///
///      31                               1    0
///     ┌──────────────────────────────────┬─────────┐
///     │ count                            │ WAITERS │
///     └──────────────────────────────────┴─────────┘
///
/// Invariant: WAITERS is set exactly while threads are queued (changed under the queue's guard),
/// and then the count is 0: a unit given back goes to the first waiter, never through the count, so
/// that nobody can overtake. Transitions: take (count - 1) and give (count + n) inline while
/// WAITERS is clear; the rest is in semaphore_cell.cpp.
class SemaphoreCell {
 public:
  static constexpr std::uint32_t largest_count = 0x7fffffff;

  constexpr explicit SemaphoreCell(std::uint32_t count) noexcept : word_(count << 1) {}
  SemaphoreCell(const SemaphoreCell&) = delete;
  SemaphoreCell& operator=(const SemaphoreCell&) = delete;

  bool try_acquire() {
    std::uint32_t word = word_.load(platform::relaxed);
    // acquire: pairs with the release in give().
    if (platform::current().pass != 0 && word > waiters_bit &&
        word_.compare_exchange_strong(word, word - one, platform::acquire, platform::relaxed)) {
      return true;
    }
    return try_acquire_slow();
  }

  /// Waits until `deadline` (monotonic nanoseconds) at most. False when it passed.
  bool acquire(std::int64_t deadline = platform::never) {
    std::uint32_t word = word_.load(platform::relaxed);
    if (platform::current().pass != 0 && word > waiters_bit &&
        word_.compare_exchange_strong(word, word - one, platform::acquire, platform::relaxed)) {
      return true;
    }
    return acquire_slow(deadline);
  }

  /// Gives back `n` units, 1 or more. False, and nothing changes, when the count would pass
  /// `limit`.
  bool give(std::uint32_t n, std::uint32_t limit = largest_count) noexcept {
    std::uint32_t word = word_.load(platform::relaxed);
    if ((word & waiters_bit) == 0 && n <= limit && (word >> 1) <= limit - n &&
        word_.compare_exchange_strong(word, word + n * one, platform::release, platform::relaxed)) {
      return true;
    }
    return give_slow(n, limit);
  }

  std::uint32_t count() const noexcept { return word_.load(platform::relaxed) >> 1; }

 private:
  static constexpr std::uint32_t waiters_bit = 1;
  static constexpr std::uint32_t one = 2;

  bool try_acquire_slow();
  bool acquire_slow(std::int64_t deadline);
  bool give_slow(std::uint32_t n, std::uint32_t limit) noexcept;

  platform::atomic<std::uint32_t> word_;
};

}  // namespace tutti::inline TUTTI_ABI::sync
