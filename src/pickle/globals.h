// The classes and functions that a pickle may name. Each stands for what is known here about its
// results; none is ever run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pickle/exception_classes.h"

namespace tutti::inline TUTTI_ABI::pickle {

enum class Global : std::uint32_t {
  set,
  frozenset,
  bytes,
  bytearray,
  complex,
  /// _codecs.encode: how protocols before 3 write bytes.
  encode,
  timedelta,
  deque,
  ordered_dict,
  /// The exceptions, from this on: find_exception_class().
  exception,
};

std::optional<std::uint32_t> find_global(PythonClass python);

}  // namespace tutti::inline TUTTI_ABI::pickle
