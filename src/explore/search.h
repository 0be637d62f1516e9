// What all strategies have in common: a driver that knows what it has chosen, and goes on to the
// next schedule.
#pragma once

#include <memory>

#include "explore/schedule.h"
#include "tutti/explore.h"

namespace tutti::inline TUTTI_ABI::explore {

using platform::exploring::Choice;
using platform::exploring::only;
using platform::exploring::Step;

inline Step pending_step(unsigned thread) {
  return platform::exploring::scheduler().strand(thread).pending;
}

class Search : public platform::exploring::Driver {
 public:
  /// Before each execution. False when there is no other schedule.
  bool next() {
    schedule_.clear();
    steps_in_a_row_ = 0;
    return begin();
  }
  /// The execution under way, or the last one.
  const Schedule& schedule() const noexcept { return schedule_; }
  /// The execution was one that only repeats others, as turned out on the way.
  virtual bool was_redundant() const { return false; }
  /// Set when a schedule run again did not go as before.
  const std::string& divergence() const noexcept { return divergence_; }

  unsigned choose_thread(const Choice& choice) final {
    const unsigned chosen = pick(choice);
    steps_in_a_row_ = chosen == choice.running ? steps_in_a_row_ + 1 : 0;
    schedule_.add_step(chosen);
    return chosen;
  }
  unsigned choose_value(unsigned count) final {
    const unsigned chosen = pick_value(count);
    schedule_.values.push_back(static_cast<std::uint8_t>(chosen));
    return chosen;
  }

 protected:
  virtual bool begin() = 0;
  virtual unsigned pick(const Choice& choice) = 0;
  virtual unsigned pick_value(unsigned count) = 0;
  /// Goes on with the running thread if it can, else with the first that can: of `allowed`, which
  /// is not empty, and best of those that are preferred. A thread that goes on and on gives way
  /// after a while.
  unsigned usual_choice(const Choice& choice, Threads allowed) const noexcept;
  unsigned usual_choice(const Choice& choice) const noexcept {
    return usual_choice(choice, choice.candidates);
  }

  std::string divergence_;

 private:
  Schedule schedule_;
  std::uint32_t steps_in_a_row_ = 0;
};

std::unique_ptr<Search> make_random_search(std::uint64_t seed);
std::unique_ptr<Search> make_pct_search(std::uint64_t seed, unsigned depth);
std::unique_ptr<Search> make_pos_search(std::uint64_t seed);
std::unique_ptr<Search> make_reduced_depth_first_search();
std::unique_ptr<Search> make_bounded_depth_first_search(unsigned preemptions);
/// Follows a schedule as far as it goes: a segment ends early when its thread can't go on; after
/// the last one the usual choice is made. Runs once for each next().
std::unique_ptr<Search> make_guided_search(Schedule schedule);

}  // namespace tutti::inline TUTTI_ABI::explore
