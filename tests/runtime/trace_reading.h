// Reading a timeline's file in a test, with what holds for every one of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tests {

struct TraceSlice {
  std::string name;
  std::string category;
  /// In nanoseconds since the recording began.
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::string holder;
  std::string object;
};

struct TraceFlow {
  std::string name;
  /// Names of threads.
  std::string from;
  std::string to;
  std::int64_t sent = 0;
  std::int64_t arrived = 0;
};

struct TraceThread {
  std::string name;
  std::vector<TraceSlice> slices;
  std::vector<std::string> marks;

  std::vector<TraceSlice> of(const std::string& category) const;
};

struct Trace {
  std::string program;
  std::uint64_t dropped_events = 0;
  std::uint64_t dropped_threads = 0;
  std::vector<TraceThread> threads;
  std::vector<TraceFlow> flows;

  /// Null if there is none, or more than one.
  const TraceThread* thread(const std::string& name) const;
};

/// Reads the file, and fails the test if it is no timeline: slices nest and leave no gaps, flows
/// come in pairs and end in a slice, no duration is negative.
Trace read_trace(const std::string& path);

}  // namespace tests
