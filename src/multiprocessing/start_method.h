// The start method in force.
#pragma once

#include <optional>

#include "tutti/multiprocessing/start_method.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Sets the default if none was set.
StartMethod start_method_in_force() noexcept;
/// In a process that was started with another one's settings.
void set_start_method(StartMethod method) noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
