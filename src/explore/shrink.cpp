#include "explore/shrink.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tutti::inline TUTTI_ABI::explore {

namespace {

constexpr unsigned most_attempts = 2'000;
constexpr std::uint64_t most_searched = 3'000;

std::uint64_t steps_of(const Schedule& schedule) {
  std::uint64_t steps = 0;
  for (const Segment& segment : schedule.segments) steps += segment.steps;
  return steps;
}

bool is_simpler(const Schedule& a, const Schedule& b) {
  return std::pair(a.switches(), steps_of(a)) < std::pair(b.switches(), steps_of(b));
}

class Shrinker {
 public:
  Shrinker(const Subject& subject, Schedule failing, FailureKind kind)
      : subject_(subject), best_(std::move(failing)), kind_(kind) {}

  Schedule run() {
    while (merge_segments()) {
    }
    search_with_fewer_preemptions();
    while (merge_segments()) {
    }
    return best_;
  }

 private:
  // Lets one switch after the other go: what the thread did there, it does in its next turn, or the
  // one before goes on as long as it can.
  bool merge_segments() {
    const std::size_t count = best_.segments.size();
    for (std::size_t i = 0; i < count && attempts_ < most_attempts; ++i) {
      Schedule later = best_;
      const Segment moved = later.segments[i];
      later.segments.erase(later.segments.begin() + static_cast<std::ptrdiff_t>(i));
      const auto next = std::find_if(
          later.segments.begin() + static_cast<std::ptrdiff_t>(i), later.segments.end(),
          [&](const Segment& segment) { return segment.thread == moved.thread; });
      if (next != later.segments.end()) next->steps += moved.steps;
      if (attempt(std::move(later))) return true;

      Schedule longer = best_;
      longer.segments[i].steps = std::numeric_limits<std::uint32_t>::max();
      if (attempt(std::move(longer))) return true;
    }
    return false;
  }

  // All schedules with no preemption, with one… as long as that is fewer, and not too many.
  void search_with_fewer_preemptions() {
    for (unsigned preemptions = 0; preemptions < std::min(best_.switches(), 3u); ++preemptions) {
      const std::unique_ptr<Search> search = make_bounded_depth_first_search(preemptions);
      for (std::uint64_t i = 0; i < most_searched && search->next(); ++i) {
        if (accept(execute(subject_, *search, nullptr), search->schedule())) return;
      }
    }
  }

  bool attempt(Schedule candidate) {
    ++attempts_;
    const std::unique_ptr<Search> search = make_guided_search(std::move(candidate));
    search->next();
    return accept(execute(subject_, *search, nullptr), search->schedule());
  }

  bool accept(const Outcome& outcome, const Schedule& schedule) {
    if (outcome.failure != kind_ || !is_simpler(schedule, best_)) return false;
    best_ = schedule;
    return true;
  }

  const Subject& subject_;
  Schedule best_;
  const FailureKind kind_;
  unsigned attempts_ = 0;
};

}  // namespace

Schedule shrink(const Subject& subject, const Schedule& failing, const Outcome& outcome) {
  return Shrinker(subject, failing, *outcome.failure).run();
}

}  // namespace tutti::inline TUTTI_ABI::explore
