// What is told of a deadlock that could happen.
#pragma once

#include <string>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::sync {

/// Locks that are not always taken in the same order, so that threads could come to wait for each
/// other.
struct OrderReport {
  /// A thread took a lock while it held another: the lock that the next step holds. The last one
  /// took the lock that the first one holds.
  struct Step {
    /// The thread's name.
    std::string thread;
    /// "Lock 'accounts'".
    std::string held;
    std::string taken;
    /// "bank.cpp:31", or the name of the function without debug information; may be empty.
    std::string held_at;
    std::string taken_at;
  };
  std::vector<Step> steps;
  /// The whole of it, as it is printed.
  std::string text;
};

}  // namespace tutti::inline TUTTI_ABI::sync
