// tutti::explore: run a concurrent program under every interleaving, and replay any failure.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "tutti/atomic.h"
#include "tutti/platform/failure_kind.h"
#include "tutti/shared.h"
#include "tutti/time.h"

#ifndef TUTTI_FLOOR
#error "tutti/explore.h needs the exploring flavour: link the CMake target tutti::explore"
#endif

namespace tutti::inline TUTTI_ABI::explore {

/// How the next schedule is found.
enum class Strategy {
  /// Every schedule that differs from the others in the order of operations that matter, one after
  /// the other, until there are none left. Dynamic partial-order reduction with source sets
  /// (Abdulla, Aronis, Jonsson, Sagonas 2014; after Flanagan, Godefroid 2005) and sleep sets
  /// (Godefroid 1996); with a preemption bound, all schedules with so many preemptions (Musuvathi,
  /// Qadeer 2007).
  depth_first,
  /// At each point any of the threads that can run, all equally likely.
  random,
  /// Random priorities that change at a few random points: finds a bug that needs `depth` ordered
  /// events with a known probability (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010).
  pct,
  /// Random priorities for operations, drawn again where they race: partial-order sampling (Yuan,
  /// Yang, Gu 2018).
  pos,
};

/// Where threads may be switched.
enum class Grain {
  /// Before every operation on a tutti object, tutti::atomic and tutti::Shared.
  operation,
  /// Also at every access to a word inside of tutti's own primitives: how tutti itself is verified.
  word,
};

enum class MemoryModel {
  /// A load sees the newest store.
  sequential,
  /// A load sees any store that C++ allows it to, short of a few exotic cases: see the guide.
  relaxed,
};

enum class Timeouts {
  /// Time passes only when all threads wait: time-outs end in the order of their deadlines.
  in_order,
  /// A time-out may end at any moment, as on a slow machine.
  any_time,
};

/// A line of the source: of the call, where it is a default argument.
struct Place {
  const char* file;
  unsigned line;
  static constexpr Place here(const char* file = __builtin_FILE(),
                              unsigned line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

struct Options {
  /// Names the check in reports and replays; the file and line of the call when empty.
  std::string name = {};
  Strategy strategy = Strategy::depth_first;
  /// The most schedules to run.
  std::uint64_t schedules = 1'000'000;
  /// Stops early, with what was found so far.
  Timeout time_limit = forever;
  /// For the random strategies. The same seed gives the same schedules.
  std::uint64_t seed = 1;
  /// For depth_first: at most so many switches away from a thread that could go on.
  std::optional<unsigned> preemptions = {};
  /// For pct: how many events have to come in a certain order for the bug to show.
  unsigned depth = 3;
  /// More steps in one schedule are a livelock.
  std::uint32_t steps = 20'000;
  Grain grain = Grain::operation;
  MemoryModel memory = MemoryModel::sequential;
  Timeouts timeouts = Timeouts::in_order;
  /// Whether a data race on a Shared is a failure even where it does no harm.
  bool races = true;
  /// Whether a thread that is still alive when the body returns is a failure, unless it is
  /// daemonic.
  bool unjoined = true;
  /// Whether a failing schedule is shrunk to the fewest context switches found.
  bool shrink = true;
  /// Prints the failure's report to stderr.
  bool print = true;
};

using platform::FailureKind;
using platform::to_string;

/// One step of a failing schedule.
struct StoryStep {
  unsigned thread = 0;
  /// "Lock.acquire accounts", "read counter → 0".
  std::string text;
  /// "race_counter.cpp:14", the user's line; empty when it is not known.
  std::string where;
  /// Virtual seconds since the beginning.
  double time = 0;
};

struct Failure {
  FailureKind kind = FailureKind::assertion;
  /// What went wrong, in one or a few lines.
  std::string message;
  /// The failing schedule, shrunk: every step in order.
  std::vector<StoryStep> story;
  /// Names of the threads, by the numbers that the story uses.
  std::vector<std::string> threads;
  /// The number of the schedule that failed first, counted from 1.
  std::uint64_t schedule = 0;
  /// Context switches in that schedule, and in the story.
  unsigned switches_found = 0;
  unsigned switches = 0;
  /// The value of TUTTI_REPLAY that runs this schedule, and only it.
  std::string replay;

  /// The report: message, a column for each thread, and how to replay.
  std::string to_string() const;
  std::string to_json() const;
};

/// What a check has found, and how much it has seen.
struct [[nodiscard]] Result {
  std::string name;
  /// Schedules run; those cut short because they only repeat others are counted apart.
  std::uint64_t schedules = 0;
  std::uint64_t cut_short = 0;
  /// How many of them were different ones.
  std::uint64_t distinct = 0;
  /// True if there is no other schedule left (for depth_first, within its bounds).
  bool exhausted = false;
  /// True if a thread that polled was let rest until something changed, or tried a lock in vain
  /// again and again: schedules in which it does so for longer are left out.
  bool polling_cut = false;
  std::uint64_t steps = 0;
  double seconds = 0;
  std::optional<Failure> failure;

  explicit operator bool() const noexcept { return !failure; }
  /// "1,234 schedules, all there are, 0.02 s: no failure", or the failure's report.
  std::string to_string() const;
  std::string to_json() const;
};
std::ostream& operator<<(std::ostream& stream, const Result& result);

/// Runs `body` again and again, each time with its threads interleaved in another way, until it
/// fails, all ways have been tried, or a limit of the options is reached.
///
///     const auto result = explore::check([] {
///       threading::Lock lock;
///       tutti::Shared<int> counter = 0;
///       threading::Thread other([&] { std::scoped_lock held(lock); ++counter; });
///       other.start();
///       { std::scoped_lock held(lock); ++counter; }
///       other.join();
///       explore::require(counter == 2);
///     });
///
/// The body must do the same each time, but for the order of its threads: no real time, no random
/// numbers without a fixed seed, no files or sockets shared between runs, and no state left behind
/// in static objects. Its threads are tutti's, at most 64 in one schedule; waiting is done by
/// tutti.
///
/// If TUTTI_REPLAY names this check, only the schedule given there is run. Throws ValueError for
/// options that do not go together and for a TUTTI_REPLAY that can't be read. One check at a time
/// in a process, outside of any check.
Result check(const std::function<void()>& body, const Options& options = {},
             Place where = Place::here());

/// Fails the schedule under way and ends it. Outside of a check: throws Error.
[[noreturn]] void fail(const std::string& message, Place where = Place::here());
/// Fails the schedule unless `holds`.
void require(bool holds, const std::string& message = "a requirement does not hold",
             Place where = Place::here());
/// Fails the schedule under way, but lets it go on to its end: for test frameworks.
void note_failure(const std::string& message);

/// How a test framework takes part: what to do before the first schedule of a check and after the
/// last, such as having failed expectations come to note_failure().
struct Framework {
  std::function<void()> begin;
  std::function<void()> end;
};
void set_framework(Framework framework);

/// Calls `object` by `name` in reports of the schedule under way. Does nothing outside of a check.
void name(const void* object, const std::string& name);
template <typename T>
requires(!std::is_pointer_v<T>) void name(const T& object, const std::string& its_name) {
  name(static_cast<const void*>(&object), its_name);
}

/// True inside of a check's body and its threads.
bool is_exploring() noexcept;

}  // namespace tutti::inline TUTTI_ABI::explore
