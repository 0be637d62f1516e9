// From a slot's wait record to the state that users see.
#pragma once

#include "runtime/slot.h"
#include "tutti/threading/thread_state.h"

namespace tutti::inline TUTTI_ABI::threading {

/// The state of the living thread that has `slot`.
ThreadState state_of(const runtime::Slot& slot) noexcept;
/// The same, from a record read before.
ThreadState state_of(const runtime::Slot& slot, const runtime::WaitRecord& record) noexcept;
/// What slot and record alone tell, also of another program: one that sleeps in a system call
/// counts as running.
ThreadState recorded_state_of(const runtime::Slot& slot,
                              const runtime::WaitRecord& record) noexcept;

}  // namespace tutti::inline TUTTI_ABI::threading
