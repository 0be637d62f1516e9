// explore::check(): schedule after schedule, until one fails or there is no other.
#include <cstdlib>
#include <limits>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "explore/execution.h"
#include "explore/names.h"
#include "explore/shrink.h"
#include "platform/explore/order.h"
#include "tutti/errors.h"
#include "tutti/explore.h"

namespace tutti::inline TUTTI_ABI::explore {

namespace exploring = platform::exploring;

namespace {

std::string file_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string to_string(const Place& where) {
  return file_name(where.file) + ":" + std::to_string(where.line);
}

void validate(const Options& options) {
  const auto refuse = [](const char* why) {
    throw ValueError(std::string("explore::check: ") + why);
  };
  if (options.preemptions && options.strategy != Strategy::depth_first) {
    refuse("a bound for preemptions goes with Strategy::depth_first only");
  }
  if (options.strategy == Strategy::pct && (options.depth < 1 || options.depth > 1000)) {
    refuse("depth must be from 1 to 1000");
  }
  if (options.schedules == 0) refuse("schedules must be at least 1");
  if (options.steps == 0) refuse("steps must be at least 1");
}

std::unique_ptr<Search> make_search(const Options& options) {
  switch (options.strategy) {
    case Strategy::random:
      return make_random_search(options.seed);
    case Strategy::pct:
      return make_pct_search(options.seed, options.depth);
    case Strategy::pos:
      return make_pos_search(options.seed);
    case Strategy::depth_first:
      break;
  }
  return options.preemptions ? make_bounded_depth_first_search(*options.preemptions)
                             : make_reduced_depth_first_search();
}

exploring::Rules rules_for(const Options& options) {
  exploring::Rules rules;
  rules.words_are_points = options.grain == Grain::word;
  rules.is_relaxed = options.memory == MemoryModel::relaxed;
  // Otherwise only once the body turns out to use a Shared.
  rules.follows_order = rules.is_relaxed;
  rules.finds_races = options.races;
  rules.timeouts_at_any_time = options.timeouts == Timeouts::any_time;
  rules.lets_pollers_rest = options.strategy == Strategy::depth_first;
  rules.longest = options.steps;
  return rules;
}

// The schedule that TUTTI_REPLAY asks for, if it is for this check: "NAME@SCHEDULE".
std::optional<Schedule> asked_for(const std::string& name) {
  const char* variable = std::getenv("TUTTI_REPLAY");
  if (variable == nullptr || *variable == '\0') return std::nullopt;
  const std::string_view text = variable;
  const std::size_t at = text.rfind('@');
  std::optional<Schedule> schedule;
  if (at != text.npos) schedule = Schedule::from_text(text.substr(at + 1));
  if (!schedule) {
    throw ValueError("TUTTI_REPLAY='" + std::string(text) +
                     "' can't be read: copy it from the report of a failure, NAME@SCHEDULE");
  }
  if (text.substr(0, at) != name) return std::nullopt;
  return schedule;
}

// The failure in full: the schedule shrunk, and run once more to be told.
Failure tell(const Subject& subject, const std::string& name, Schedule schedule, Outcome outcome,
             std::uint64_t number) {
  Failure failure;
  failure.schedule = number;
  failure.switches_found = schedule.switches();
  // What does not repeat itself can't be shrunk.
  if (subject.options.shrink && outcome.failure != FailureKind::nondeterminism) {
    schedule = shrink(subject, schedule, outcome);
  }
  const std::unique_ptr<Search> search = make_guided_search(schedule);
  search->next();
  Story story;
  Outcome again = execute(subject, *search, &story);
  if (again.failure != outcome.failure) {
    again = std::move(outcome);
    if (again.failure != FailureKind::nondeterminism) {
      again.message = std::string(to_string(*again.failure)) + ": " + again.message +
                      "\nbut not when the same schedule was run again: the body does not do the "
                      "same each time";
      again.failure = FailureKind::nondeterminism;
    }
  }
  failure.kind = *again.failure;
  failure.message = again.message;
  failure.switches = search->schedule().switches();
  failure.story = story.told();
  failure.threads = story.thread_names();
  // One of a livelock can be longer than an environment variable may be.
  constexpr std::size_t longest_replay = 10'000;
  failure.replay = name + "@" + search->schedule().to_text();
  if (failure.replay.size() > longest_replay) failure.replay.clear();
  return failure;
}

Result run_search(Subject& subject, const std::string& name) {
  const Options& options = subject.options;
  Result result;
  result.name = name;
  const double begin = exploring::real_seconds();
  const auto seconds = [&] { return exploring::real_seconds() - begin; };
  std::unique_ptr<Search> search;
  const std::optional<Schedule> asked = asked_for(name);
  const auto restart = [&] {
    search = asked ? make_guided_search(*asked) : make_search(options);
    result.schedules = result.cut_short = result.steps = 0;
  };
  restart();
  // Depth-first never runs the same schedule twice.
  const bool may_repeat = !asked && options.strategy != Strategy::depth_first;
  std::unordered_set<std::uint64_t> seen;
  const double limit = options.time_limit.is_forever()
                           ? std::numeric_limits<double>::infinity()
                           : static_cast<double>(options.time_limit.nanoseconds()) * 1e-9;
  while (result.schedules + result.cut_short < (asked ? 1 : options.schedules)) {
    if (!search->next()) {
      result.exhausted = true;
      break;
    }
    Outcome outcome = execute(subject, *search, nullptr);
    if (exploring::order().is_missed() && options.races) {
      // The body has a Shared in it: begin again, and follow who knows of whose accesses.
      subject.rules.follows_order = true;
      restart();
      seen.clear();
      continue;
    }
    result.steps += exploring::scheduler().steps();
    result.polling_cut = result.polling_cut || exploring::scheduler().has_cut_polling();
    if (search->was_redundant()) {
      ++result.cut_short;
    } else {
      ++result.schedules;
    }
    if (may_repeat) seen.insert(search->schedule().hash());
    if (outcome.failure) {
      result.failure = tell(subject, name, search->schedule(), std::move(outcome),
                            result.schedules + result.cut_short);
      break;
    }
    // The clock is looked at now and then: a schedule may take a microsecond.
    if ((result.schedules + result.cut_short) % 64 == 0 && seconds() > limit) break;
  }
  result.distinct = may_repeat ? seen.size() : result.schedules;
  result.seconds = seconds();
  return result;
}

bool is_checking = false;

// Set before main, perhaps before this file's objects are made.
Framework& the_framework() {
  static auto& framework = *new Framework;
  return framework;
}

// Tells the test framework, if there is one, that what fails meanwhile fails a schedule.
class FrameworkInside {
 public:
  FrameworkInside() {
    if (the_framework().begin) the_framework().begin();
  }
  ~FrameworkInside() {
    if (the_framework().end) the_framework().end();
  }
  FrameworkInside(const FrameworkInside&) = delete;
  FrameworkInside& operator=(const FrameworkInside&) = delete;
};

}  // namespace

Result check(const std::function<void()>& body, const Options& options, Place where) {
  if (is_checking) throw RuntimeError("explore::check() inside of another check");
  validate(options);
  struct Checking {
    Checking() { is_checking = true; }
    ~Checking() { is_checking = false; }
  } checking;
  const exploring::Catching catching;
  const FrameworkInside framework;
  Subject subject{body, options, rules_for(options)};
  Result result = run_search(subject, options.name.empty() ? to_string(where) : options.name);
  if (result.failure && options.print) platform::print_error((result.to_string() + "\n").c_str());
  return result;
}

void fail(const std::string& message, Place where) {
  if (!is_exploring()) throw Error(message);
  exploring::fail(FailureKind::assertion, message + " (" + to_string(where) + ")");
}

void require(bool holds, const std::string& message, Place where) {
  if (!holds) fail(message, where);
}

void set_framework(Framework framework) {
  the_framework() = std::move(framework);
}

void note_failure(const std::string& message) {
  if (is_exploring()) exploring::note_failure(FailureKind::assertion, message);
}

void name(const void* object, const std::string& its_name) {
  if (is_exploring()) names().give(object, its_name);
}

bool is_exploring() noexcept {
  return exploring::scheduler().is_running();
}

}  // namespace tutti::inline TUTTI_ABI::explore
