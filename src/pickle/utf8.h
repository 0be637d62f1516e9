// Text as Python's str holds it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// The code point at the beginning of `text`, which is shortened by it; none if it is not UTF-8.
/// Surrogates are let pass, as Python's "surrogatepass" does.
std::optional<char32_t> take_code_point(std::string_view& text);

bool is_utf8(std::string_view text);

/// `code_point` is at most 0x10FFFF.
void append_utf8(std::string& text, char32_t code_point);

}  // namespace tutti::inline TUTTI_ABI::pickle
