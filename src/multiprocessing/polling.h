// Waiting for a descriptor, as the runtime's other waits: recorded, counted, interruptible.
#pragma once

#include <cstdint>

#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Waits until `descriptor` can be read from, until `deadline` or until an interruption of the main
/// thread. `reason` is what the wait record says.
runtime::Ended wait_until_readable(runtime::Self& self, int descriptor,
                                   const runtime::Reason& reason, std::int64_t deadline) noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
