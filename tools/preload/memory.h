// Memory of this library's own. A thread may wait for a lock inside of the program's malloc, so
// nothing that is done about waits may call that: within this library malloc, free and operator new
// are these.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::preload {

/// Held over a fork, so that the child finds it whole.
void lock_memory() noexcept;
void unlock_memory() noexcept;

}  // namespace tutti::inline TUTTI_ABI::preload
