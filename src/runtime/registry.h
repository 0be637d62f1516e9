// The registry: one slot for each living thread of this process and of its forked children.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/slot.h"

namespace tutti::inline TUTTI_ABI::runtime {

inline constexpr std::uint32_t slot_capacity = 65'536;  // Slot 0 is the header's.

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
void release_slot(Slot& slot) noexcept;

Slot& slot_at(std::uint32_t number) noexcept;
/// The id of the thread that has the slot now.
ThreadId id_of(const Slot& slot) noexcept;
/// Numbers 1 to last_slot() have been in use at some time.
std::uint32_t last_slot() noexcept;
/// True if `id` is a living thread of this process.
bool is_living(ThreadId id) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
