// The children of this process that live or have not been reaped yet, in the order of their start.
#pragma once

#include <memory>
#include <vector>

#include "multiprocessing/process_control.h"
#include "runtime/guard.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::children {

/// Guards the list, and what controls keep of their children in the kernel. Held over a fork, so
/// that the child finds it all whole, and by whoever reaps, so that only one does.
runtime::Guard& guard() noexcept;

// The following two with the guard held.
/// Adds one that is about to start; false once the program is ending. The list keeps it alive.
bool add(ProcessControl& control) noexcept;
/// Does nothing if it is not in it. The caller has a handle of it.
void remove(ProcessControl& control) noexcept;

/// Those that are running.
std::vector<std::shared_ptr<ProcessControl>> living();
/// Reaps those that have ended, from time to time: its cost for each start is bounded.
void sweep_now_and_then();

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::children
