// The one waiting routine: spin for as long as it pays, then park on the thread's own slot.
//
// Whoever waits for anything calls prepare_to_wait(), makes itself findable (in a queue, under its
// guard), and then wait_for_wake(). Whoever ends the wait takes it out of the queue, under the
// guard, and calls wake() on its slot: exactly once for each time it was taken out.
#pragma once

#include <cstdint>
#include <exception>
#include <utility>

#include "runtime/self.h"

namespace tutti::inline TUTTI_ABI::runtime {

enum class Ended {
  woken,
  timed_out,
  interrupted,
  /// It would never have ended otherwise: `failure` of the thread says why.
  failed,
};

void prepare_to_wait(Self& self) noexcept;

/// Whether an interruption of the main thread ends a wait, or stays pending until a later one.
enum class Interrupts { heeded, deferred };
/// Whether to spin before parking; not again for those who have just spun for the same in vain.
enum class Spinning { allowed, done };

/// Waits until wake() is called for `self`, until `deadline`, or until an interruption of the main
/// thread. `reason` is what the wait record says.
Ended wait_for_wake(Self& self, const Reason& reason, std::int64_t deadline,
                    Interrupts interrupts = Interrupts::heeded,
                    Spinning spinning = Spinning::allowed) noexcept;

void wake(Slot& slot) noexcept;

/// The same for a thread that others can find, and that must not go before they are done with it.
/// If the wait ends for another reason than a wake, `leave(reason)` makes it unfindable, or returns
/// false if somebody has found it before: then a wake is under way, and ends the wait.
template <typename Leave>
Ended wait_or_leave(Self& self, const Reason& reason, std::int64_t deadline, Leave leave,
                    Interrupts interrupts = Interrupts::heeded,
                    Spinning spinning = Spinning::allowed) noexcept {
  const Ended ended = wait_for_wake(self, reason, deadline, interrupts, spinning);
  if (ended == Ended::woken || leave(ended)) return ended;
  self.failure = nullptr;
  return wait_for_wake(self, reason, platform::never, Interrupts::deferred);
}

/// Has the record say what the thread does between two waits: nothing, or I/O if it said so itself.
void restore_record(Self& self) noexcept;

/// Makes the main thread's current or next wait end as interrupted. Async-signal-safe.
void interrupt_main() noexcept;
/// Sets what interrupt_main() calls besides, for a main thread that waits for something else than
/// its slot's word. Async-signal-safe.
void at_interrupt(void (*reach)() noexcept) noexcept;
/// True if an interruption is waiting to be thrown. Async-signal-safe.
bool is_interrupt_pending() noexcept;
/// The same for the calling thread: it is the main one.
bool is_interrupted() noexcept;
/// Takes the pending interruption and throws it as KeyboardInterrupt.
[[noreturn]] void throw_interrupt();
/// The same, if there is one and the caller is the main thread.
void check_interrupt(const Self& self);
/// Throws what has broken the wait off, if something has.
inline void throw_if_broken_off(Self& self, Ended ended) {
  if (ended == Ended::interrupted) throw_interrupt();
  if (ended == Ended::failed) std::rethrow_exception(std::exchange(self.failure, nullptr));
}
/// After a wait that has brought nothing to give back: stops a daemon thread at the program's end,
/// and throws what has broken the wait off.
inline void stop_or_throw(Self& self, Ended ended) {
  if (must_stop(self)) stop_for_good(self);
  throw_if_broken_off(self, ended);
}

/// In a fork's child: nothing is pending.
void reset_waiting_after_fork() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
