// Guard: the small lock inside, for critical sections of a few instructions.
#pragma once

#include <cstdint>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// A lock for the runtime's own data. Unlike the locks that users see it has no owner, no wait
/// record and no fairness: whoever
/// holds it waits for nobody and calls no code of the user's.
///
/// The word: 0 free, 1 held, 2 held and perhaps waited for (Drepper, "Futexes are tricky", 2004).
class Guard {
 public:
  constexpr Guard() noexcept = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // acquire and release pair with each other in lock() and unlock().
  void lock() noexcept {
    std::uint32_t expected = 0;
    if (!word_.compare_exchange_strong(expected, 1, platform::acquire, platform::relaxed))
      lock_slow();
  }
  void unlock() noexcept {
    if (word_.exchange(0, platform::release) == 2)
      platform::unpark(word_, 1, platform::Reach::process);
  }
  /// By anybody; it may have changed at once.
  bool is_locked() const noexcept { return word_.load(platform::relaxed) != 0; }
  /// In a fork's child, where the holder may have vanished.
  void reset() noexcept { word_.store(0, platform::relaxed); }

 private:
  void lock_slow() noexcept;

  platform::atomic<std::uint32_t> word_{0};
};

class GuardHolder {
 public:
  explicit GuardHolder(Guard& guard) noexcept : guard_(guard) { guard.lock(); }
  ~GuardHolder() { guard_.unlock(); }
  GuardHolder(const GuardHolder&) = delete;
  GuardHolder& operator=(const GuardHolder&) = delete;

 private:
  Guard& guard_;
};

/// Guards small things that many objects have: names, hooks, the values of Local. Held over a fork,
/// so that the child finds them whole. No other guard is taken under it.
extern constinit Guard leaf_guard;

}  // namespace tutti::inline TUTTI_ABI::runtime
