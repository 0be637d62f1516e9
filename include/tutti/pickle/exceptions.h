// Exceptions as values: what can be told of one in another process.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// One exception, of a chain in which each is the cause of that before it (std::nested_exception).
struct ThrownRecord {
  /// Its type as the compiler names it: "app::TooHot".
  std::string type;
  /// The nearest of its bases, or itself, that any process can make: "std::out_of_range"; empty if
  /// there is none.
  std::string known;
  /// Its what().
  std::string text;
  /// Of an OSError, the errno value.
  int code = 0;
};

/// The exception and its causes; empty for null.
std::vector<ThrownRecord> describe_exception(const std::exception_ptr& exception);

/// The exception of which `chain` tells, with its causes nested. Where the type itself is not one
/// that any process can make, it is the nearest base, or RuntimeError, with the type's name put in
/// front of the text.
std::exception_ptr rebuild_exception(std::span<const ThrownRecord> chain);

}  // namespace tutti::inline TUTTI_ABI::pickle
