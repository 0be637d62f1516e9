#include "runtime/guard.h"

namespace tutti::inline TUTTI_ABI::runtime {

constinit Guard leaf_guard;

void Guard::lock_slow() noexcept {
  // The section is shorter than a park, unless its holder was preempted.
  for (int i = 0; platform::can_spin && i < 100; ++i) {
    platform::relax();
    std::uint32_t expected = 0;
    if (word_.load(platform::relaxed) == 0 &&
        word_.compare_exchange_strong(expected, 1, platform::acquire, platform::relaxed)) {
      return;
    }
  }
  while (word_.exchange(2, platform::acquire) != 0) {
    platform::park(word_, 2, platform::never, platform::Reach::process);
  }
}

}  // namespace tutti::inline TUTTI_ABI::runtime
