// The slots' waits could go into a timeline, which this library does not keep.
#include "runtime/trace.h"

namespace tutti::inline TUTTI_ABI::runtime::trace {

constinit platform::hint<bool> is_recording{false};

void moves(const Slot& /*slot*/, WaitKind /*kind*/, const void* /*object*/) noexcept {}

}  // namespace tutti::inline TUTTI_ABI::runtime::trace
