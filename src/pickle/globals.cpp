#include "pickle/globals.h"

#include <array>
#include <utility>

namespace tutti::inline TUTTI_ABI::pickle {

std::optional<std::uint32_t> find_global(PythonClass python) {
  // Python 2's names of the same module.
  if (python.module == "__builtin__" || python.module == "exceptions") python.module = "builtins";
  constexpr std::array data = std::to_array<std::pair<PythonClass, Global>>({
      {{"builtins", "set"}, Global::set},
      {{"builtins", "frozenset"}, Global::frozenset},
      {{"builtins", "bytes"}, Global::bytes},
      {{"builtins", "bytearray"}, Global::bytearray},
      {{"builtins", "complex"}, Global::complex},
      {{"_codecs", "encode"}, Global::encode},
      {{"datetime", "timedelta"}, Global::timedelta},
      {{"collections", "deque"}, Global::deque},
      {{"collections", "OrderedDict"}, Global::ordered_dict},
  });
  for (const auto& [known, global] : data) {
    if (known.module == python.module && known.name == python.name) {
      return static_cast<std::uint32_t>(global);
    }
  }
  const std::optional<std::uint32_t> exception = find_exception_class(python);
  if (!exception) return std::nullopt;
  return static_cast<std::uint32_t>(Global::exception) + *exception;
}

}  // namespace tutti::inline TUTTI_ABI::pickle
