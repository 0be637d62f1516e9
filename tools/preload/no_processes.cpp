// What processes that tutti makes have and the program's have not. Its threads hold no sign of
// life, which would be a mutex of the program's own kind: who is dead is known of whole processes
// only.
#include "platform/spawn.h"
#include "runtime/life.h"

namespace tutti::inline TUTTI_ABI::platform {

void Life::renew() noexcept {}
void Life::end() noexcept {}

const Inheritance& inheritance() noexcept {
  static constexpr Inheritance none;
  return none;
}

}  // namespace tutti::inline TUTTI_ABI::platform

namespace tutti::inline TUTTI_ABI::runtime {

bool is_dead(ThreadId id) noexcept {
  const Slot& slot = slot_at(slot_number(id));
  return slot.phase() == SlotPhase::unused || id_of(slot) != id ||
         !platform::process_is_alive(slot.process.load(platform::relaxed));
}

}  // namespace tutti::inline TUTTI_ABI::runtime
