// Waiting on a word in memory that processes share.
//
// Such a wait has no queue and no waker of its own: whoever changes the word wakes those who sleep
// on it (wake_shared_word()), and whoever might have done so may have been killed. So a waiter
// sleeps on the word itself, and wakes up now and then to look at it, and at those it waits for,
// again.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/detector.h"
#include "runtime/trace.h"
#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// One wait of the calling thread, with as many sleeps as it takes; for as long as this lives, its
/// record says that it waits.
class SharedWait {
 public:
  /// `reason` lives longer, and is of Reach::machine. The wait ends at `deadline`.
  SharedWait(Self& self, const Reason& reason, std::int64_t deadline,
             Interrupts interrupts = Interrupts::heeded,
             Spinning spinning = Spinning::allowed) noexcept;
  ~SharedWait();
  SharedWait(const SharedWait&) = delete;
  SharedWait& operator=(const SharedWait&) = delete;

  /// Spins, the first time, and then sleeps while `word` holds `expected`. Returns `woken` also
  /// without a cause, after 10 ms first and ever doubled times up to 1 s, so that callers look
  /// whether those they wait for are dead. `holder` is the one thread that can end the wait, 0 if
  /// that is not known: for those who look at this one.
  Ended sleep_on(platform::atomic<std::uint32_t>& word, std::uint32_t expected,
                 ThreadId holder = 0) noexcept;

 private:
  bool is_interrupted_now() const noexcept;
  void begin_sleeping() noexcept;

  Self& self_;
  const Reason& reason_;
  const std::int64_t deadline_;
  const Interrupts interrupts_;
  Spinning spinning_;
  const trace::Wait traced_;
  /// Set once it sleeps.
  std::optional<Lookout> lookout_;
  std::int64_t since_ = 0;
  std::int64_t step_;
  std::int64_t due_ = platform::never;
};

/// The same for a single sleep.
Ended wait_on_shared_word(Self& self, platform::atomic<std::uint32_t>& word, std::uint32_t expected,
                          const Reason& reason, std::int64_t deadline) noexcept;

/// Wakes up to `count` threads, of whatever processes, that sleep on `word`.
void wake_shared_word(platform::atomic<std::uint32_t>& word, int count) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
