// How Lock and RLock read acquire's (blocking, timeout).
#pragma once

#include <cstdint>
#include <optional>

#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

/// The deadline that `blocking` and `timeout` mean for a lock; none for a call that does not wait.
/// Throws ValueError as Lock::acquire says.
std::optional<std::int64_t> lock_deadline(bool blocking, Timeout timeout);

}  // namespace tutti::inline TUTTI_ABI::threading
