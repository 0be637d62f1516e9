// A timeline as a program has written it (TUTTI_TRACE), read from its file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trace {

enum class State : std::uint8_t { running, blocked, sleep, io, idle, dropped, asleep };
inline constexpr std::size_t state_count = 7;

/// "running", "blocked", …, as in the file.
const char* to_string(State state);

/// Something that threads wait for.
struct Subject {
  /// "Lock 'accounts'", "sleep", "running".
  std::string name;
  /// Its address, or empty.
  std::string object;

  bool operator==(const Subject&) const = default;
};

/// Times are nanoseconds since the recording began.
struct Slice {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  State state = State::running;
  /// Index in Timeline::subjects.
  std::size_t subject = 0;
  /// Index of the thread that had it, or that is joined; `nobody` if that is not known.
  std::size_t holder = nobody;

  static constexpr std::size_t nobody = SIZE_MAX;
  std::int64_t length() const { return end - begin; }
};

struct Mark {
  std::int64_t when = 0;
  std::string text;
};

struct Thread {
  std::string name;
  std::int64_t number = 0;
  /// They follow each other without a gap.
  std::vector<Slice> slices;
  /// Those inside of others: asleep, and waits in I/O.
  std::vector<Slice> inner;
  std::vector<Mark> marks;

  std::int64_t begin() const { return slices.empty() ? 0 : slices.front().begin; }
  std::int64_t end() const { return slices.empty() ? 0 : slices.back().end; }
};

/// A wake from one thread to another, by their indices.
struct Flow {
  std::string name;
  std::size_t from = 0;
  std::int64_t sent = 0;
  std::size_t to = 0;
  std::int64_t arrived = 0;
};

struct Timeline {
  std::string program;
  std::uint64_t dropped_events = 0;
  std::uint64_t dropped_threads = 0;
  /// In their order on the page.
  std::vector<Thread> threads;
  std::vector<Subject> subjects;
  std::vector<Flow> flows;

  std::int64_t length() const;
};

/// Throws std::runtime_error, which names the file and what is wrong with it.
Timeline read(const std::filesystem::path& file);

}  // namespace trace
