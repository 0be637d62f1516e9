// From addresses in the program to lines of its source.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::explore {

/// The addresses of the calls that the calling thread is in, the innermost first.
std::vector<std::uintptr_t> call_addresses();

/// "race_counter.cpp:14": the innermost of the calls that is neither tutti's nor the standard
/// library's; empty when the program has no debug information.
std::string user_line(const std::vector<std::uintptr_t>& calls);

/// The name of the global variable at this address; empty when there is none.
std::string variable_name(const void* address);

}  // namespace tutti::inline TUTTI_ABI::explore
