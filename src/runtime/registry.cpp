// Slots are handed out lock-free, so that a process killed in the middle blocks nobody: at worst
// the one slot it was taking, or giving back, is lost, for it is unused and among the released no
// more, or not yet. Nothing tells such a slot from one that a living thread is about to take, so it
// is not looked for: each such kill costs one of 65,535. All others that the dead have are swept
// up.
#include "runtime/registry.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "platform/spawn.h"
#include "runtime/life.h"
#include "runtime/settings.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

void label(void* pages) {
  auto& header = *static_cast<RegistryHeader*>(pages);
  header.layout.store(RegistryHeader::current_layout, platform::relaxed);
  header.slot_size.store(sizeof(Slot), platform::relaxed);
  // release: who sees it sees the rest.
  header.magic.store(RegistryHeader::expected_magic, platform::release);
}

platform::SharedPages map_slots() {
  constexpr std::size_t size = sizeof(Slot) * slot_capacity;
  // A spawned process has its parent's.
  if (const int inherited = platform::inheritance().registry; inherited >= 0) {
    const platform::SharedPages shared = platform::map_shared_again(size, inherited);
    if (shared.pages != nullptr) return shared;
    std::fputs("tutti: the thread registry of the parent process can't be mapped\n", stderr);
    std::abort();
  }
  const platform::SharedPages made =
      platform::map_shared(size, is_shown_to_others() ? registry_name : hidden_registry_name);
  if (made.pages == nullptr) {
    std::fputs("tutti: no memory for the thread registry\n", stderr);
    std::abort();
  }
  label(made.pages);
  return made;
}

// Never unmapped: threads may outlive static objects.
const platform::SharedPages& mapped() {
  static const platform::SharedPages pages = map_slots();
  return pages;
}

Slot* slots() {
  static Slot* const first = static_cast<Slot*>(mapped().pages);
  return first;
}

RegistryHeader& header() {
  return *reinterpret_cast<RegistryHeader*>(slots());
}

constexpr std::uint64_t pack(std::uint64_t previous, std::uint32_t number) {
  return ((previous >> 32) + 1) << 32 | number;
}

// acquire pairs with the release in push(): next_unused is read as it was written.
std::uint32_t pop_released() {
  std::uint64_t top = header().released.load(platform::acquire);
  for (;;) {
    const auto number = static_cast<std::uint32_t>(top);
    if (number == 0) return 0;
    const std::uint32_t next = slots()[number].next_unused.load(platform::relaxed);
    if (header().released.compare_exchange_weak(top, pack(top, next), platform::acquire,
                                                platform::acquire)) {
      return number;
    }
  }
}

void push_released(std::uint32_t number) {
  std::uint64_t top = header().released.load(platform::relaxed);
  do {
    slots()[number].next_unused.store(static_cast<std::uint32_t>(top), platform::relaxed);
  } while (!header().released.compare_exchange_weak(top, pack(top, number), platform::release,
                                                    platform::relaxed));
}

std::uint32_t take_fresh() {
  std::uint32_t last = header().last.load(platform::relaxed);
  while (last + 1 < slot_capacity) {
    if (header().last.compare_exchange_weak(last, last + 1, platform::relaxed)) return last + 1;
  }
  return 0;
}

ThreadId id_in(const Slot& slot, Occupancy seen) noexcept {
  return seen.generation() << 16 | static_cast<std::uint32_t>(&slot - slots());
}

// Whoever ends the phase of that generation gives the slot back, so that it is given back once.
void give_back(Slot& slot, Occupancy seen) noexcept {
  std::uint32_t expected = seen.word;
  if (slot.occupancy.compare_exchange_strong(expected, seen.in(SlotPhase::unused).word,
                                             platform::acq_rel)) {
    push_released(static_cast<std::uint32_t>(&slot - slots()));
  }
}

// Gives back the slots of threads that were killed, or whose process has ended. A process that ends
// by exit() does not do so itself, for its static objects may use locks to the last; of one that
// leaves those alone the main thread does: see leave_for_good().
void sweep() {
  for (std::uint32_t number = 1; number <= last_slot(); ++number) {
    Slot& slot = slots()[number];
    const Occupancy seen = slot.occupied();
    if (seen.phase() != SlotPhase::unused && is_dead(id_in(slot, seen))) give_back(slot, seen);
  }
}

[[maybe_unused]] const bool restarts = [] {
  platform::on_restart([] {
    const std::uint32_t used = last_slot();
    std::memset(static_cast<void*>(slots()), 0, sizeof(Slot) * (used + 1));
    label(slots());
  });
  return true;
}();

std::uint32_t take_number() {
  // Before the numbers used grow by another thousand, see whether some can be had back.
  constexpr std::uint32_t between_sweeps = 1024;
  if (const std::uint32_t number = pop_released(); number != 0) return number;
  const std::uint32_t last = last_slot();
  if (last != 0 && (last % between_sweeps == 0 || last + 1 == slot_capacity)) {
    sweep();
    if (const std::uint32_t number = pop_released(); number != 0) return number;
  }
  return take_fresh();
}

}  // namespace

Claim claim_slot(std::uint32_t flags, std::string_view name) {
  const std::uint32_t number = take_number();
  if (number == 0) {
    throw RuntimeError("can't register thread '" + std::string(name) +
                       "': 65535 threads are alive in this tree of processes");
  }
  Slot& slot = slots()[number];
  slot.occupancy.store(Occupancy{slot.occupancy.load(platform::relaxed)}.next().word,
                       platform::relaxed);
  // release, as the name's is: pairs with the acquire in identity_of().
  slot.process.store(platform::process_id(), platform::release);
  slot.thread.store(0, platform::relaxed);
  slot.flags.store(flags, platform::relaxed);
  slot.name.set(name);
  slot.wake.store(Wake::watching, platform::relaxed);
  slot.life.renew();
  // A thread that was killed may have been writing its record.
  slot.record_stamp.store((slot.record_stamp.load(platform::relaxed) + 1) & ~1u, platform::relaxed);
  clear_record(slot);
  slot.enter(SlotPhase::starting);
  return {&slot, id_of(slot)};
}

void release_slot(Slot& slot) noexcept {
  const Occupancy own{slot.occupancy.load(platform::relaxed)};
  // From here on a sweeper may give it back, and another thread have it.
  if (own.phase() == SlotPhase::running) slot.life.end();
  give_back(slot, own);
}

Slot& slot_at(std::uint32_t number) noexcept {
  return slots()[number];
}

ThreadId id_of(const Slot& slot) noexcept {
  return id_in(slot, {slot.occupancy.load(platform::relaxed)});
}

// acquire, here and in bytes(): what a later thread has written comes with its generation.
std::optional<Identity> identity_of(ThreadId id) noexcept {
  const Slot& slot = slot_at(slot_number(id));
  const Identity found{slot.process.load(platform::acquire), slot.name.bytes()};
  if (id_of(slot) != id || found.process == 0) return std::nullopt;
  return found;
}

std::uint32_t last_slot() noexcept {
  return header().last.load(platform::acquire);
}

int registry_descriptor() noexcept {
  return mapped().descriptor;
}

void hide_registry() noexcept {
  header().hidden.store(1, platform::relaxed);
}

bool is_living(ThreadId id) noexcept {
  const std::uint32_t number = slot_number(id);
  if (number == 0 || number > last_slot()) return false;
  const Slot& slot = slot_at(number);
  const Occupancy seen = slot.occupied();
  return seen.phase() != SlotPhase::unused && id_in(slot, seen) == id &&
         slot.process.load(platform::relaxed) == platform::process_id();
}

}  // namespace tutti::inline TUTTI_ABI::runtime
