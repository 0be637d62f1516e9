// A flag in one word that threads wait for.
#pragma once

#include <cstdint>

#include "tutti/platform/floor.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::sync {

using runtime::WaitKind;

/// A flag that is set, cleared and waited for. Zero = clear; trivially destructible.
///
///     bit 1: WAITERS, bit 0: SET. WAITERS is changed under the queue's guard only, and never
///     stands together with SET: set() turns WAITERS into SET and releases all that are queued, in
///     one critical section. So a waiter returns even if the flag is cleared again before it runs.
class EventCell {
 public:
  constexpr EventCell() noexcept = default;
  EventCell(const EventCell&) = delete;
  EventCell& operator=(const EventCell&) = delete;

  // acquire: pairs with the release in set(), so that what was written before it is seen.
  bool is_set() const noexcept { return word_.load(platform::acquire) == set_bit; }

  void set() noexcept {
    std::uint32_t expected = 0;
    if (word_.compare_exchange_strong(expected, set_bit, platform::release, platform::relaxed))
      return;
    set_slow();
  }

  void clear() noexcept {
    std::uint32_t expected = set_bit;
    word_.compare_exchange_strong(expected, 0, platform::acq_rel, platform::relaxed);
  }

  /// Waits until `deadline` (monotonic nanoseconds) at most. False when it passed. `about` is the
  /// object that the wait record names. Throws KeyboardInterrupt.
  bool wait(WaitKind kind, const void* about, std::int64_t deadline = platform::never) {
    if (platform::current().pass != 0 && is_set()) return true;
    return wait_slow(kind, about, deadline, Interruption::throws);
  }

  /// Waits until the flag is set; an interruption of the main thread stays pending.
  void wait_unconditionally(WaitKind kind, const void* about) {
    wait_slow(kind, about, platform::never, Interruption::waits);
  }

 private:
  static constexpr std::uint32_t set_bit = 1;
  static constexpr std::uint32_t waiters_bit = 2;

  enum class Interruption { throws, waits };

  void set_slow() noexcept;
  bool wait_slow(WaitKind kind, const void* about, std::int64_t deadline,
                 Interruption interruption);

  platform::atomic<std::uint32_t> word_{0};
};

}  // namespace tutti::inline TUTTI_ABI::sync
