// The wording of threading's errors: what happened, to which object, in which thread.
#pragma once

#include <string>
#include <string_view>

#include "runtime/describe.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

/// "cannot <what> <Kind at 0x…> <why> (thread 'Worker-1')", as a RuntimeError.
[[noreturn]] void throw_misuse(std::string_view what, runtime::WaitKind kind, const void* object,
                               std::string_view why);

/// "<what> (thread 'Worker-1')", as a ValueError.
[[noreturn]] void throw_bad_value(std::string_view what);

}  // namespace tutti::inline TUTTI_ABI::threading
