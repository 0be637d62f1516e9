// Who may be asleep until a ring changes.
#pragma once

#include <cstdint>

#include "runtime/shared_waiting.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A word of shared memory that threads sleep on until something is put, or taken. All-zero:
/// nobody does.
///
///      31                                1        0
///     ┌───────────────────────────────────┬────────┐
///     │ wakes, counted                    │ ASLEEP │
///     └───────────────────────────────────┴────────┘
///
/// ASLEEP says that somebody may be asleep: a flag, not a number, which a killed sleeper would
/// leave wrong for ever. Its transitions: announce, by who is about to sleep; wake clears it and
/// counts; announce once more by the woken one, for others may still sleep.
///
/// Who sleeps and who wakes find each other by Dekker's pattern: the one announces and then looks
/// once more whether the ring has changed; the other changes the ring and then looks at the flag;
/// all four are seq_cst, or the change is followed by a fence that is, so one of them sees what the
/// other wrote. A second change that finds the flag cleared by the first wakes nobody: that is for
/// the one that the first has woken. It announces before it looks; so either it finds that there is
/// more than it takes, and wakes the next, or that change comes later, and finds the flag.
///
/// Somebody killed between two of these steps takes the others' wake with it. They sleep on until
/// they look by themselves, as runtime::SharedWait has them do.
class Sleepers {
 public:
  /// What to sleep on, once the ring was looked at again.
  std::uint32_t announce() noexcept {
    std::uint32_t word = word_.load(platform::seq_cst);
    while ((word & asleep) == 0 &&
           !word_.compare_exchange_weak(word, word | asleep, platform::seq_cst)) {
    }
    return word | asleep;
  }

  /// After a change of the ring, which was seq_cst, or after a fence that was.
  void wake_one() noexcept {
    if ((word_.load(platform::seq_cst) & asleep) != 0) wake(1);
  }
  void wake_all() noexcept {
    if ((word_.load(platform::seq_cst) & asleep) != 0) wake(every);
  }

  platform::atomic<std::uint32_t>& word() noexcept { return word_; }

 private:
  static constexpr std::uint32_t asleep = 1;
  static constexpr std::uint32_t one_wake = 2;
  static constexpr int every = 0x7fff'ffff;

  // relaxed: the word orders nothing; who is woken looks at the ring.
  [[gnu::noinline]] void wake(int count) noexcept {
    std::uint32_t word = word_.load(platform::relaxed);
    do {
      if ((word & asleep) == 0) return;
    } while (!word_.compare_exchange_weak(word, (word + one_wake) & ~asleep, platform::relaxed));
    runtime::wake_shared_word(word_, count);
  }

  platform::atomic<std::uint32_t> word_{0};
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
