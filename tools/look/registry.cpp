// Records are sequence locks, so a copy is good if the stamps are the same, and even, in one copy
// that was finished before it was begun and in one that was begun after it was finished.
#include "look/registry.h"

#include <fmt/core.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "look/error.h"

namespace look {

namespace runtime = tutti::runtime;
namespace platform = tutti::platform;
using runtime::RegistryHeader;
using runtime::Slot;

namespace {

void read_memory(const Process& process, int memory, std::uint64_t address, void* to,
                 std::size_t size) {
  auto* bytes = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = pread(memory, bytes, size, static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) process.throw_ended();
    bytes += got;
    address += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
}

// What tells whether a slot has changed.
struct Stamps {
  std::uint32_t occupancy;
  std::uint32_t process;
  std::uint32_t record;
  std::uint32_t details;
  bool operator==(const Stamps&) const = default;
};

Stamps stamps_of(const Slot& slot) {
  return {slot.occupancy.load(platform::relaxed), slot.process.load(platform::relaxed),
          slot.record_stamp.load(platform::relaxed), slot.details_stamp.load(platform::relaxed)};
}

RegisteredThread thread_of(const Slot& slot, std::uint32_t number, bool is_consistent) {
  RegisteredThread thread;
  thread.id = slot.occupied().generation() << 16 | number;
  thread.process = slot.process.load(platform::relaxed);
  thread.slot = &slot;
  if (!is_consistent) return thread;
  thread.record = runtime::try_read_record(slot).value_or(runtime::WaitRecord{});
  thread.details = runtime::read_details(slot, thread.record);
  return thread;
}

}  // namespace

RegistryCopy::RegistryCopy(const Process& process, int memory, std::uint64_t address,
                           std::uint64_t size) {
  RegistryHeader header;
  read_memory(process, memory, address, &header, sizeof header);
  // The program is about to make it.
  if (header.magic.load(platform::relaxed) == 0) return;
  const std::uint32_t layout = header.layout.load(platform::relaxed);
  const bool is_known = header.magic.load(platform::relaxed) == RegistryHeader::expected_magic &&
                        layout == RegistryHeader::current_layout &&
                        header.slot_size.load(platform::relaxed) == sizeof(Slot);
  if (!is_known) {
    throw Error(
        fmt::format("{} was built with another version of tutti (its registry has layout {}, this "
                    "command reads {}): use the command of that version",
                    process.describe(), layout, RegistryHeader::current_layout));
  }
  is_hidden_ = header.hidden.load(platform::relaxed) != 0;
  const std::uint64_t room = std::min<std::uint64_t>(size / sizeof(Slot), runtime::slot_capacity);
  const std::uint64_t count =
      std::min<std::uint64_t>(std::uint64_t{header.last.load(platform::relaxed)} + 1, room);
  constexpr std::uint64_t in_chunk = 256;
  for (std::uint64_t first = 1; first < count; first += in_chunk) {
    chunks_.emplace_back(std::min(in_chunk, count - first));
    read_chunk(process, memory, address, static_cast<std::uint32_t>(first), chunks_.back());
  }
}

void RegistryCopy::read_chunk(const Process& process, int memory, std::uint64_t address,
                              std::uint32_t first, std::vector<Slot>& slots) {
  const auto read_slots = [&](std::size_t from, std::size_t count, Slot* to) {
    read_memory(process, memory, address + (first + from) * sizeof(Slot), to, count * sizeof(Slot));
  };
  std::vector<Slot> before(slots.size());
  std::vector<Slot> after(slots.size());
  read_slots(0, slots.size(), before.data());
  read_slots(0, slots.size(), slots.data());
  read_slots(0, slots.size(), after.data());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto is_consistent = [&] {
      const Stamps stamps = stamps_of(slots[i]);
      return stamps.record % 2 == 0 && stamps_of(before[i]) == stamps &&
             stamps_of(after[i]) == stamps;
    };
    constexpr int most_tries = 20;
    for (int tries = 1; !is_consistent() && tries < most_tries; ++tries) {
      read_slots(i, 1, &before[i]);
      read_slots(i, 1, &slots[i]);
      read_slots(i, 1, &after[i]);
    }
    if (slots[i].phase() == runtime::SlotPhase::unused) continue;
    threads_.push_back(thread_of(slots[i], first + static_cast<std::uint32_t>(i), is_consistent()));
  }
}

std::vector<RegistryCopy> registries_of(const Process& process) {
  const std::string path = fmt::format("/memfd:{} (deleted)", runtime::registry_name);
  std::vector<Mapping> found;
  for (Mapping& mapping : process.mappings()) {
    if (mapping.path == path && mapping.offset == 0) found.push_back(std::move(mapping));
  }
  std::vector<RegistryCopy> copies;
  if (found.empty()) return copies;
  // Held open, it is this program's memory even if the process becomes another program meanwhile.
  struct Memory {
    int file;
    ~Memory() { close(file); }
  } const memory{process.open_memory()};
  for (const Mapping& mapping : found) {
    copies.emplace_back(process, memory.file, mapping.begin, mapping.end - mapping.begin);
  }
  std::erase_if(copies, [](const RegistryCopy& copy) { return copy.is_hidden(); });
  return copies;
}

}  // namespace look
