// Waiting for descriptors: in poll(), and yet known to the runtime.
//
// The thread's record says so, it counts as one that needs no core, and an interruption of the
// main thread reaches it there.
#pragma once

#include <span>

#include "platform/stream.h"
#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::runtime {

struct DescriptorWait {
  Ended ended = Ended::woken;
  /// An errno value when the system can't wait for them; then it counts as woken.
  int error = 0;
};

/// Waits until one of `watched` is ready or broken; which, stands in its `revents`. `reason` is
/// what the wait record says.
DescriptorWait wait_for_descriptors(Self& self, std::span<platform::Watched> watched,
                                    std::int64_t deadline,
                                    const Reason& reason = Reason(WaitKind::io, nullptr));

/// In a fork's child.
void forget_bell_after_fork() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
