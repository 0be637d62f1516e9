// Sleeping on several words at a time, some of which other processes change.
#pragma once

#include <span>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::platform {

/// Slept on while `word` holds `expected`, until it is unparked with this reach.
struct ParkingPlace {
  const atomic<std::uint32_t>& word;
  std::uint32_t expected;
  Reach reach;
};

/// Sleeps until one of `places`, three at most, has changed or is unparked, or until `deadline`.
/// Returns false when the deadline passed. May return early without a cause, and where the kernel
/// (before Linux 5.16) can't wait for several words does so every 50 ms: there it sleeps on the
/// first.
bool park_on_several(std::span<const ParkingPlace> places, std::int64_t deadline) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
