#include "runtime/waiting.h"

#include <algorithm>

#include "runtime/detector.h"
#include "runtime/load.h"
#include "runtime/spin.h"
#include "runtime/trace.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

constinit atomic<bool> interrupt_pending{false};
constinit atomic<void (*)() noexcept> reach_main{nullptr};

// Sleeps until the slot is woken or interrupted; false at the deadline, with the slot back at
// `watching`.
bool park_slot(Slot& slot, std::int64_t deadline) noexcept {
  std::uint32_t state = Wake::watching;
  if (!slot.wake.compare_exchange_strong(state, Wake::parked, platform::acq_rel,
                                         platform::acquire)) {
    return true;
  }
  bool in_time = true;
  while (in_time && slot.wake.load(platform::acquire) == Wake::parked) {
    in_time = platform::park(slot.wake, Wake::parked, deadline, platform::Reach::process);
  }
  if (!in_time) {
    state = Wake::parked;
    if (slot.wake.compare_exchange_strong(state, Wake::watching, platform::acq_rel,
                                          platform::acquire)) {
      return false;
    }
  }
  return true;
}

// Sleeps until `is_ended()`, and now and then looks whether that can still come.
template <typename IsEnded>
Ended sleep_watchfully(Self& self, std::int64_t deadline, bool may_fail,
                       IsEnded is_ended) noexcept {
  Lookout lookout(self, deadline, may_fail);
  while (!is_ended()) {
    const bool in_time = park_slot(*self.slot, std::min(deadline, lookout.due()));
    if (lookout.must_look(in_time)) {
      if (!is_ended() && lookout.look()) return Ended::failed;
    } else if (!in_time) {
      return Ended::timed_out;
    }
  }
  return Ended::woken;
}

template <typename IsEnded>
Ended sleep(Slot& slot, std::int64_t deadline, IsEnded is_ended) noexcept {
  while (!is_ended()) {
    if (!park_slot(slot, deadline)) return Ended::timed_out;
  }
  return Ended::woken;
}

}  // namespace

void reset_waiting_after_fork() noexcept {
  interrupt_pending.store(false, platform::relaxed);
}

void prepare_to_wait(Self& self) noexcept {
  // seq_cst for the main thread, with the load of interrupt_pending that follows: either that load
  // sees the flag, or interrupt_main() sees the slot watching (Dekker's pattern).
  self.slot->wake.store(Wake::watching, self.is_main ? platform::seq_cst : platform::relaxed);
}

void restore_record(Self& self) noexcept {
  if (self.blocking_elsewhere == 0) {
    clear_record(*self.slot);
  } else {
    publish_record(*self.slot, Reason(WaitKind::io, nullptr), platform::never);
  }
}

Ended wait_for_wake(Self& self, const Reason& reason, std::int64_t deadline, Interrupts interrupts,
                    Spinning spinning) noexcept {
  Slot& slot = *self.slot;
  const void* const object = reason.object.load(platform::relaxed);
  const auto is_ended = [&]() noexcept {
    // acquire: pairs with the release in wake(); what the waker wrote to the waiter is seen.
    std::uint32_t state = slot.wake.load(platform::acquire);
    const bool heeds = interrupts == Interrupts::heeded && self.is_main;
    if (state == Wake::interrupted && !(heeds && is_interrupt_pending())) {
      // Not for this wait; or late, for one that has thrown already. seq_cst: an interrupt_main()
      // that came meanwhile has found this state and left it alone, so its flag is looked at once
      // more.
      slot.wake.compare_exchange_strong(state, Wake::watching, platform::seq_cst);
      return state == Wake::woken || (heeds && is_interrupt_pending());
    }
    return state == Wake::woken || state == Wake::interrupted;
  };
  if (self.is_main && interrupts == Interrupts::heeded && is_interrupt_pending()) {
    return Ended::interrupted;
  }
  const trace::Wait traced(reason.kind.load(platform::relaxed), object);
  // Nobody wakes a sleeper, so there is nothing to spin for.
  const bool can_be_woken = reason.kind.load(platform::relaxed) != WaitKind::sleep;
  if (!(can_be_woken && spinning == Spinning::allowed &&
        spin<Looks::steady>(object, deadline, is_ended))) {
    const bool may_fail = interrupts == Interrupts::heeded && !self.must_not_fail;
    const trace::Asleep asleep(reason);
    publish_record(slot, reason, deadline, may_fail);
    count_runnable(-1);
    const Ended ended = platform::needs_detector && can_be_woken
                            ? sleep_watchfully(self, deadline, may_fail, is_ended)
                            : sleep(slot, deadline, is_ended);
    count_runnable(1);
    reason.is_published.store(false, platform::relaxed);
    restore_record(self);
    const std::int64_t woken_at = slot.woken_at.exchange(0, platform::relaxed);
    if (woken_at != 0) learn_park_cost(platform::now() - woken_at);
    if (ended != Ended::woken) return ended;
  }
  // acquire once more: it may have been woken since it was seen to be interrupted.
  return slot.wake.load(platform::acquire) == Wake::woken ? Ended::woken : Ended::interrupted;
}

void wake(Slot& slot) noexcept {
  if (trace::is_on()) trace::wakes(slot);
  if (slot.wake.load(platform::relaxed) == Wake::parked) {
    slot.woken_at.store(platform::now(), platform::relaxed);
  }
  // release: pairs with the acquire loads of the waiter. acquire is not needed: nothing is read.
  if (slot.wake.exchange(Wake::woken, platform::release) == Wake::parked) {
    // The slot stays mapped for ever, so it does not matter if its thread has gone on by now.
    platform::unpark(slot.wake, 1, platform::Reach::process);
  }
}

bool is_interrupt_pending() noexcept {
  return interrupt_pending.load(platform::seq_cst);
}

void interrupt_main() noexcept {
  interrupt_pending.store(true, platform::seq_cst);
  if (auto* reach = reach_main.load(platform::seq_cst)) reach();
  Slot* slot = main_slot();
  if (slot == nullptr) return;
  std::uint32_t state = slot->wake.load(platform::seq_cst);
  while (state == Wake::watching || state == Wake::parked) {
    if (slot->wake.compare_exchange_weak(state, Wake::interrupted, platform::seq_cst)) {
      if (state == Wake::parked) platform::unpark(slot->wake, 1, platform::Reach::process);
      return;
    }
  }
}

void at_interrupt(void (*reach)() noexcept) noexcept {
  // seq_cst: it is part of the pattern with interrupt_pending.
  reach_main.store(reach, platform::seq_cst);
}

bool is_interrupted() noexcept {
  const Self* self = registered_self();
  return self != nullptr && self->is_main && is_interrupt_pending();
}

void throw_interrupt() {
  interrupt_pending.exchange(false, platform::seq_cst);
  throw KeyboardInterrupt("the main thread was interrupted");
}

void check_interrupt(const Self& self) {
  if (self.is_main && is_interrupt_pending()) throw_interrupt();
}

}  // namespace tutti::inline TUTTI_ABI::runtime
