// Objects and threads in words, the same in every message.
#pragma once

#include <string>
#include <string_view>

#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// "Lock at 0x55d0c0de", or "Queue 'jobs'" for an object with a name.
std::string describe(WaitKind kind, const void* object);
std::string describe(const char* kind, const void* object);
/// The same when its name is known, or known to be none: also for another program's object.
std::string describe(const char* kind, const void* object, std::string_view name);
/// "thread 'Worker-1'".
std::string describe_calling_thread();
/// " (in thread 'Worker-1')": how messages end.
std::string in_calling_thread();

}  // namespace tutti::inline TUTTI_ABI::runtime
