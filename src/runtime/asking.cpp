#include "runtime/asking.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

// In a wait that only its own process ends, the thread sleeps where no other process can wake it,
// and whoever changed the wake word of that from outside would take its wake away. So that word is
// left alone: in a wait that others may end it sleeps on the flag as well (shared_waiting.cpp).
void ask_from_outside(Slot& slot) noexcept {
  slot.must_look.store(1, platform::release);
  platform::unpark(slot.must_look, 1, platform::Reach::machine);
}

}  // namespace

void ask_to_look(Slot& slot) noexcept {
  // release: pairs with the acquire in Lookout::must_look(). That the thread sees it, once it is
  // awake, is due to the state below: it is written after the flag, and read before it.
  slot.must_look.store(1, platform::release);
  std::uint32_t state = slot.wake.load(platform::relaxed);
  while (state == Wake::watching || state == Wake::parked) {
    if (slot.wake.compare_exchange_weak(state, Wake::interrupted, platform::acq_rel)) {
      if (state == Wake::parked) platform::unpark(slot.wake, 1, platform::Reach::process);
      return;
    }
  }
}

// release: pairs with the acquire in Lookout::look(). All questions are read-modify-writes, so
// whoever reads a later one has seen what came before this one, too.
std::uint32_t ask(ThreadId thread) noexcept {
  Slot& slot = slot_at(slot_number(thread));
  const std::uint32_t question = slot.questions.fetch_add(1, platform::acq_rel) + 1;
  if (is_living(thread)) {
    ask_to_look(slot);
  } else {
    ask_from_outside(slot);
  }
  return question;
}

void pass_questions_on(ThreadId thread) noexcept {
  if (!is_living(thread)) return;
  Slot& slot = slot_at(slot_number(thread));
  if (!is_answered(slot.questions.load(platform::acquire), slot.answered.load(platform::relaxed))) {
    ask_to_look(slot);
  }
}

}  // namespace tutti::inline TUTTI_ABI::runtime
