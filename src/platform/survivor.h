// A process that is there when a program has been killed, and does what is left to be done.
#pragma once

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::platform {

struct Survivor {
  /// 0, or the errno value that says why there is none.
  int error = 0;
  /// As long as any process has this descriptor open, which children inherit over fork(), not over
  /// exec, the survivor waits.
  int lifeline = -1;
};

/// Starts a process that waits for the end of all who hold its lifeline, calls
/// `last_will(argument)` (async-signal-safe code only, for the caller may have other threads), and
/// ends. It is no child of the caller's, no signal but SIGKILL reaches it, and of the
/// caller's descriptors it keeps standard error alone.
Survivor start_survivor(void (*last_will)(void*), void* argument) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
