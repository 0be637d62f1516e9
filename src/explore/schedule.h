// A schedule: who took each step, and how each choice of a value went.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/explore/scheduler.h"

namespace tutti::inline TUTTI_ABI::explore {

using platform::exploring::Threads;

/// Steps of one thread that follow each other.
struct Segment {
  unsigned thread;
  std::uint32_t steps;
  bool operator==(const Segment&) const = default;
};

struct Schedule {
  std::vector<Segment> segments;
  /// Results of the choices of values, in order.
  std::vector<std::uint8_t> values;

  void clear() {
    segments.clear();
    values.clear();
  }
  void add_step(unsigned thread) {
    if (segments.empty() || segments.back().thread != thread) segments.push_back({thread, 0});
    ++segments.back().steps;
  }
  unsigned switches() const {
    return segments.empty() ? 0 : static_cast<unsigned>(segments.size()) - 1;
  }
  std::uint64_t hash() const noexcept;

  /// "0:12.1:3.0:2/0.1": threads with their numbers of steps, then values if there are any.
  std::string to_text() const;
  static std::optional<Schedule> from_text(std::string_view text);
};

}  // namespace tutti::inline TUTTI_ABI::explore
