// The wording of what goes wrong with processes.
#pragma once

#include <string>
#include <string_view>

#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// "<what>: Too many open files", and what to do about it, where that is known.
[[noreturn]] void throw_os_error(std::string_view what, int error);

/// "process 'Process-1'".
std::string described(std::string_view process_name);

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
