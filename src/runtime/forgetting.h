// For those who remember something about objects: see tutti/runtime/remembered.h.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

using Forget = void (*)(const void* object);

/// `forgets` is called for objects that go, among them all about which something is remembered. It
/// throws nothing. At most three may ask for it.
void at_forgetting(Forget forgets) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
