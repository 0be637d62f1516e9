// What is set once for all threads to come.
#pragma once

#include <cstddef>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::threading::settings {

/// Bytes of stack for new threads; 0 is the system's default.
std::size_t stack_size() noexcept;
/// Returns what was in force before. Throws ValueError when it is too small.
std::size_t set_stack_size(std::size_t bytes);

}  // namespace tutti::inline TUTTI_ABI::threading::settings
