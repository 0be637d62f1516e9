#include "runtime/load.h"

#include <algorithm>
#include <cstdint>

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

// Registered threads that don't wait in tutti.
constinit platform::hint<int> runnable{0};

// Some of those sleep in the kernel all the same: in poll(), in a std::thread's join. The kernel is
// asked about them when it matters, that is when the count alone says "too many", and so rarely
// that asking costs one per cent of a core at most.
constinit platform::hint<int> asleep_elsewhere{0};
constinit platform::hint<std::int64_t> ask_again_at{0};
constexpr std::int64_t shortest_pause = 10'000'000;
constexpr int pauses_per_question = 100;
// With more threads than that on their feet it can be taken that some of them run.
constexpr int too_many_to_ask = 64;

bool fits(int threads) noexcept {
  return threads <= platform::cores();
}

int count_asleep() noexcept {
  int asleep = 0;
  for (std::uint32_t number = 1; number <= last_slot(); ++number) {
    const Slot& slot = slot_at(number);
    if (slot.phase() == SlotPhase::running &&
        slot.process.load(platform::relaxed) == platform::process_id() &&
        slot.kind.load(platform::relaxed) == WaitKind::none &&
        platform::is_asleep(slot.thread.load(platform::relaxed))) {
      ++asleep;
    }
  }
  return asleep;
}

}  // namespace

void count_runnable(int change) noexcept {
  runnable.fetch_add(change, platform::relaxed);
}

int runnable_threads() noexcept {
  return runnable.load(platform::relaxed);
}

void reset_load_after_fork(int threads) noexcept {
  runnable.store(threads, platform::relaxed);
  asleep_elsewhere.store(0, platform::relaxed);
}

bool is_core_free() noexcept {
  const int threads = runnable.load(platform::relaxed);
  if (fits(threads)) return true;
  if (threads > too_many_to_ask) return false;
  const std::int64_t now = platform::now();
  std::int64_t due = ask_again_at.load(platform::relaxed);
  if (now >= due &&
      ask_again_at.compare_exchange_strong(due, now + shortest_pause, platform::relaxed)) {
    asleep_elsewhere.store(count_asleep(), platform::relaxed);
    const std::int64_t cost = platform::now() - now;
    ask_again_at.store(now + std::max(shortest_pause, cost * pauses_per_question),
                       platform::relaxed);
  }
  return fits(threads - asleep_elsewhere.load(platform::relaxed));
}

}  // namespace tutti::inline TUTTI_ABI::runtime
