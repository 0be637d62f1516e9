// An execution that can't go on: who waits for what.
#pragma once

#include <string>

#include "tutti/explore.h"

namespace tutti::inline TUTTI_ABI::explore {

struct Stuck {
  /// False when all who are left are daemons, whom nobody waits for.
  bool is_failure = false;
  FailureKind kind = FailureKind::lost_wakeup;
  std::string message;
};

/// Looks at the threads of an execution that has ended as stuck.
Stuck describe_stuck();

}  // namespace tutti::inline TUTTI_ABI::explore
