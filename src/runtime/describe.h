// Objects and threads in words, the same in every message.
#pragma once

#include <string>
#include <string_view>

#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// "Lock at 0x55d0c0de", or "Queue 'jobs'" for an object with a name: the one that it was given, or
/// that of the global or static variable that it is, or lies in.
std::string describe(WaitKind kind, const void* object);
std::string describe(const char* kind, const void* object);
/// The same when its name is known, or known to be none: also for another program's object.
std::string describe(const char* kind, const void* object, std::string_view name);
/// The name alone; empty if there is none.
std::string name_or_variable(const void* object);
/// The same by a given name or the address alone: for errors that programs meet as a matter of
/// course. The first look for a variable reads the program's symbols, which takes its time.
std::string describe_quickly(const char* kind, const void* object);
/// `before`, and then "0.010 s".
std::string in_seconds(const char* before, double seconds);
/// "thread 'Worker-1'".
std::string describe_calling_thread();
/// " (in thread 'Worker-1')": how messages end.
std::string in_calling_thread();

}  // namespace tutti::inline TUTTI_ABI::runtime
