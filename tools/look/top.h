// `tutti top`: what threads do and wait for, again and again.
#pragma once

#include <chrono>
#include <optional>

namespace look {

struct TopOptions {
  /// Of all programs that this user may look into if no process is named.
  std::optional<int> pid;
  /// How many times; 0 for no end.
  int count = 0;
  std::chrono::milliseconds delay{2000};
  /// As lines, also on a terminal.
  bool is_plain = false;
};

/// On a terminal as a view to scroll in, otherwise as lines. Returns the exit code.
int top(const TopOptions& options);

}  // namespace look
