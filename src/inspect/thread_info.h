// From a slot, this program's or a copy of another one's, to what is told of a thread.
#pragma once

#include <optional>
#include <string>

#include "runtime/registry.h"
#include "tutti/inspect.h"

namespace tutti::inline TUTTI_ABI::inspect {

/// All but the state, from the slot of the thread `id`, and its record and details as they were at
/// the moment `now`.
ThreadInfo info_of(const runtime::Slot& slot, runtime::ThreadId id,
                   const runtime::WaitRecord& record,
                   const std::optional<runtime::WaitDetails>& details, std::int64_t now);

/// The name of the thread that `info` waits for, if that says more than what it waits for; else
/// empty. A join names its thread already.
std::string holder_name(const WaitGraph& graph, const ThreadInfo& info);

}  // namespace tutti::inline TUTTI_ABI::inspect
