// A process that was told in a message what it is to do, from that to its end.
#pragma once

#include <cstddef>
#include <vector>

#include "multiprocessing/child.h"
#include "platform/descriptor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Becomes what the message says, and calls its entry.
[[noreturn]] void live_as_told(std::vector<std::byte> message,
                               std::vector<platform::Descriptor> descriptors, Ending ending);

/// False in a spawned process until it has begun to do what it was spawned for.
bool is_bootstrapped() noexcept;
/// True if children that are spawned by this process will do what they are told.
bool can_spawn() noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
