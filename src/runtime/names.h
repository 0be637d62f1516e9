// Names that users give to objects, by address: for messages, so that an object has no room for
// one.
#pragma once

#include <string>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// An empty name is none.
void set_name(const void* object, std::string name);
/// An object that can be named calls forget() when it goes: see tutti/runtime/remembered.h.
void forget_name(const void* object) noexcept;
/// Empty if it has none, or is no more.
std::string name_of(const void* object);

}  // namespace tutti::inline TUTTI_ABI::runtime
