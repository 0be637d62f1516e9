#include "runtime/life.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

bool is_left(const Slot& slot, SlotPhase phase) noexcept {
  switch (phase) {
    case SlotPhase::unused:
      return true;
    case SlotPhase::starting:
      // Its thread can't say anything yet. Nobody waits for it, so what the kernel knows of the
      // process will do, late as it may be when the number is another process's by now.
      return !platform::process_is_alive(slot.process.load(platform::relaxed));
    case SlotPhase::running:
      // Not held: the thread is giving the slot back, or was killed when it was about to.
      return slot.life.state() != platform::Life::State::held;
  }
  return true;
}

}  // namespace

// A generation ends before the next one's sign of life and phase are written, and the phase is
// released last. So if the generation, read last, is still that of `id`, the rest was about `id`,
// too, and not about a later thread; an earlier one's can't be seen by who knows `id`.
bool is_dead(ThreadId id) noexcept {
  const std::uint32_t number = slot_number(id);
  if (number == 0 || number > last_slot()) return true;
  const Slot& slot = slot_at(number);
  return is_left(slot, slot.phase()) || id_of(slot) != id;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
