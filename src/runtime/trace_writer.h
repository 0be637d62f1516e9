// The timeline as a file: JSON in Chrome's trace event format, which Perfetto and chrome://tracing
// show.
//
// Each thread is a track of slices ("X"): `running` and what it was blocked on take turns, and lie
// without a gap between the thread's begin and its end; inside of a wait, `asleep` is the part
// spent off the core. A wake or a hand-over is a flow ("s", "f") from the slice of the waking
// thread to that of the woken.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/trace_ring.h"

namespace tutti::inline TUTTI_ABI::runtime::trace {

struct ThreadTrace {
  ThreadId id = 0;
  std::uint32_t kernel_id = 0;
  std::string name;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::vector<Event> events;
  /// Older events that there was no room for.
  std::uint64_t dropped = 0;
};

struct Timeline {
  std::string program;
  std::uint32_t process = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  /// In order of their begin.
  std::vector<ThreadTrace> threads;
  /// By number, from 1 on; the first one is empty.
  std::vector<std::string> texts;
  /// Threads that had ended, and that there was no room for.
  std::uint64_t dropped_threads = 0;
  /// Of all threads, also of those.
  std::uint64_t dropped_events = 0;
};

void write(const Timeline& timeline, std::FILE* file);

/// `text` as a JSON string, in quotes; what is not UTF-8 becomes U+FFFD.
std::string quoted(std::string_view text);

}  // namespace tutti::inline TUTTI_ABI::runtime::trace
