// Names that users give to objects, by address: for messages, so that an object has no room for
// one.
#pragma once

#include <string>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// An empty name is none.
void set_name(const void* object, std::string name);
/// Whoever has named an object calls this when it goes.
void forget_name(const void* object) noexcept;
/// Empty if it has none, or is no more.
std::string name_of(const void* object);

}  // namespace tutti::inline TUTTI_ABI::runtime
