// Which exception of Python's is which of C++'s.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::pickle {

struct PythonClass {
  std::string_view module;
  std::string_view name;
};

/// A number for one of Python's exceptions; none if it isn't one that is known.
std::optional<std::uint32_t> find_exception_class(PythonClass python);
PythonClass exception_class(std::uint32_t number);

/// The type for a ThrownRecord: that of the same meaning, or else Python's name.
std::string type_of(std::uint32_t number);
/// That type, or a base of the same meaning as one of the class's bases; empty if there is none.
std::string known_of(std::uint32_t number);
/// Python's class for a ThrownRecord's `known`.
PythonClass python_class_of(std::string_view known);

/// Whether it is made with an error number and a text, as OSError is.
bool has_error_number(std::string_view known);

}  // namespace tutti::inline TUTTI_ABI::pickle
