// What a timeline comes to: who was blocked for how long, and by what.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trace/timeline.h"

namespace trace {

struct BlockedBy {
  /// Index in Timeline::subjects.
  std::size_t subject = 0;
  std::int64_t total = 0;
  std::size_t count = 0;
  std::int64_t longest = 0;
  /// Thread's index and its part of the total, the largest first.
  std::vector<std::pair<std::size_t, std::int64_t>> by_thread;
};

struct LongWait {
  std::size_t thread = 0;
  Slice slice;
};

struct ThreadTotal {
  /// Nanoseconds in each State; `asleep` is a part of the others.
  std::array<std::int64_t, state_count> in_state{};
  std::size_t waits = 0;
};

struct Summary {
  /// The largest total first.
  std::vector<BlockedBy> blocked_by;
  /// The longest first.
  std::vector<LongWait> longest;
  /// As the timeline's threads.
  std::vector<ThreadTotal> threads;
};

/// With so many of the longest waits at most.
Summary summarize(const Timeline& timeline, std::size_t longest);

/// "1.25 ms": three figures and a unit.
std::string readable_time(std::int64_t nanoseconds);

}  // namespace trace
