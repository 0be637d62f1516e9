// The registry: one slot for each living thread of this process and of its forked children.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/slot.h"

namespace tutti::inline TUTTI_ABI::runtime {

inline constexpr std::uint32_t slot_capacity = 65'536;  // Slot 0 is the header's.

/// What stands in the place of slot 0, so that other programs know what they look at.
struct RegistryHeader {
  static constexpr std::uint64_t expected_magic = 0x6765722d69747574;  // "tuti-reg"
  static constexpr std::uint32_t current_layout = 4;

  atomic<std::uint64_t> magic;
  /// Counts the changes of what these headers say about the registry.
  atomic<std::uint32_t> layout;
  atomic<std::uint32_t> slot_size;
  /// Top of the stack of released slots: number in the low half; in the high half a count of
  /// changes, so that a compare-exchange notices when the same slot has come back to the top
  /// meanwhile (ABA).
  atomic<std::uint64_t> released;
  /// The highest number ever used.
  atomic<std::uint32_t> last;
  /// Not 0: the program does not want to be shown by others.
  atomic<std::uint32_t> hidden;
};
static_assert(sizeof(RegistryHeader) <= sizeof(Slot));

/// By this name other programs find the registry among a process's mappings; with
/// TUTTI_INSPECT=off in the environment it has the other one.
inline constexpr const char* registry_name = "tutti-registry";
inline constexpr const char* hidden_registry_name = "tutti-private";

constexpr std::uint32_t slot_number(ThreadId id) {
  return id & 0xffff;
}

struct Claim {
  Slot* slot;
  ThreadId id;
};

/// Takes an unused slot for a thread of this process, in phase `starting`. Lock-free. Throws
/// RuntimeError when all 65,535 are in use.
Claim claim_slot(std::uint32_t flags, std::string_view name);
/// By the thread that has the slot, or, for one that has not run, by who has claimed it.
void release_slot(Slot& slot) noexcept;

Slot& slot_at(std::uint32_t number) noexcept;
/// The id of the thread that has the slot now.
ThreadId id_of(const Slot& slot) noexcept;

struct Identity {
  std::uint32_t process;
  /// Ended by a zero.
  std::array<char, SharedText::longest + 2> name;
};
/// Who the thread is, or was; nothing if its slot is another one's by now.
std::optional<Identity> identity_of(ThreadId id) noexcept;

/// Numbers 1 to last_slot() have been in use at some time.
std::uint32_t last_slot() noexcept;
/// For processes that are executed by this one; -1 if it can't be shared with them.
int registry_descriptor() noexcept;
/// Asks other programs not to show this one, nor others that share the registry.
void hide_registry() noexcept;
/// True if `id` is a living thread of this process.
bool is_living(ThreadId id) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
