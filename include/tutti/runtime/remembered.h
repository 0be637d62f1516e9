// Objects about which something is remembered by their address, so that they have no room for it:
// a name, say.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// How many things are remembered about the objects of which the addresses have the same place
/// here. Advice: who has remembered something about an object has done so before it is destroyed.
extern constinit std::array<platform::hint<std::uint32_t>, 256> remembered;

inline platform::hint<std::uint32_t>& remembered_near(const void* object) noexcept {
  return remembered[(reinterpret_cast<std::uintptr_t>(object) >> 4) % remembered.size()];
}

/// For those who remember: one thing more about the object, or one less.
inline void count_remembered(const void* object) noexcept {
  remembered_near(object).fetch_add(1, platform::relaxed);
}
inline void count_forgotten(const void* object) noexcept {
  remembered_near(object).fetch_sub(1, platform::relaxed);
}

void forget_slow(const void* object) noexcept;

/// For destructors: whatever is remembered about the object, it is not the next one's that lies
/// there. One load if nothing is, as a rule.
inline void forget(const void* object) noexcept {
  if (remembered_near(object).load(platform::relaxed) != 0) forget_slow(object);
}

}  // namespace tutti::inline TUTTI_ABI::runtime
