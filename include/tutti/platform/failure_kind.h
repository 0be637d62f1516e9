// How an explored program can fail.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

enum class FailureKind {
  /// Threads wait for each other in a ring, or a thread for itself.
  deadlock,
  /// Threads wait, and there is nobody left to wake them, though they form no ring.
  lost_wakeup,
  /// More steps than Options::steps: threads keep going and get nowhere.
  livelock,
  /// fail(), require(), assert() or a test framework's expectation.
  assertion,
  /// An exception left the body or a thread, or std::terminate was called.
  exception,
  /// Two accesses to a Shared that nothing orders, one of them a write.
  race,
  /// A thread was still alive when the body returned.
  unjoined,
  /// The body did not do the same when the same schedule was run again.
  nondeterminism,
};

/// "deadlock", "lost wake-up", …
const char* to_string(FailureKind kind) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
