// Values as Python's repr() writes them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::pickle {

std::string repr_of_text(std::string_view text);
std::string repr_of_bytes(std::span<const std::byte> bytes);
std::string repr_of_float(double value);
/// Two's complement, the lowest byte first; decimal up to 4300 digits, as Python prints them,
/// hexadecimal beyond.
std::string repr_of_big(std::span<const std::byte> bytes);

}  // namespace tutti::inline TUTTI_ABI::pickle
