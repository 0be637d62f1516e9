// Sleeping on two words at a time: one that other processes change, and one of this process.
#pragma once

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::platform {

/// Sleeps while `shared` holds `expected` and `own` holds `own_expected`, until either is unparked
/// (`shared` with Reach::machine, `own` with Reach::process) or until `deadline`. Returns false
/// when the deadline passed. May return early without a cause, and does so every 50 ms where the
/// kernel (before Linux 5.16) can't wait for two words.
bool park_either(const atomic<std::uint32_t>& shared, std::uint32_t expected,
                 const atomic<std::uint32_t>& own, std::uint32_t own_expected,
                 std::int64_t deadline) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
