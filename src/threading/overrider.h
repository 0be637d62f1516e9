// Which function a virtual call would reach, without making it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::threading {

/// The function that `object.run()` would call. By the Itanium C++ ABI, which both compilers
/// follow, a pointer to a virtual member function holds the offset of its entry in the virtual
/// table, plus 1 where functions may lie at odd addresses (there the arm ABI marks the second word
/// instead). `Object` has no other base with virtual functions before it.
template <typename Object>
auto overrider_of_run(Object& object) noexcept -> void (*)(Object*) {
  void (Object::*const run)() = &Object::run;
  std::array<std::uintptr_t, 2> words;
  static_assert(sizeof run == sizeof words);
  std::memcpy(words.data(), &run, sizeof words);
#if defined(__x86_64__)
  const std::uintptr_t offset = words[0] - 1;
#else
  const std::uintptr_t offset = words[0];
#endif
  const char* virtual_table;
  std::memcpy(&virtual_table, static_cast<const void*>(&object), sizeof virtual_table);
  void (*function)(Object*);
  std::memcpy(&function, virtual_table + offset, sizeof function);
  return function;
}

}  // namespace tutti::inline TUTTI_ABI::threading
