// What is told about waits that never end.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "preload/ring.h"

namespace tutti::inline TUTTI_ABI::preload {

/// Where the object lies, such as "redis-server+0x1f40"; empty outside of the program's files: on
/// the heap or a stack.
std::string place_of(const void* object);

/// Tells of a ring, once, and ends the program if the policy says so.
void report_ring(const std::vector<Link>& ring);

/// Tells, once, that the owner of the mutex that `slot` waits for has ended.
void report_dead_owner(const runtime::Slot& slot, pid_t owner);

}  // namespace tutti::inline TUTTI_ABI::preload
