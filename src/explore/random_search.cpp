// The strategies that draw: random walk, PCT, POS; and the one that follows a given schedule.
#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <vector>

#include "explore/search.h"

namespace tutti::inline TUTTI_ABI::explore {

using platform::exploring::depends;
using platform::exploring::most_threads;

unsigned Search::usual_choice(const Choice& choice, Threads allowed) const noexcept {
  constexpr std::uint32_t most_in_a_row = 100;
  const Threads best = (allowed & choice.preferred) != 0 ? allowed & choice.preferred : allowed;
  const Threads others = best & ~only(choice.running);
  const bool must_give_way = steps_in_a_row_ >= most_in_a_row && others != 0;
  if ((best & only(choice.running)) != 0 && !must_give_way) return choice.running;
  if (!must_give_way) return static_cast<unsigned>(std::countr_zero(best));
  // The next one in turn, so that all get theirs.
  const Threads later = others & ~((only(choice.running) << 1) - 1);
  return static_cast<unsigned>(std::countr_zero(later != 0 ? later : others));
}

namespace {

// The same numbers from the same seed on every system, which std's distributions don't promise.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t roll() { return engine_(); }
  /// A number below `count`.
  std::uint64_t below(std::uint64_t count) {
    return roll() % count;  // Counts are small: one value is hardly likelier than another.
  }

 private:
  std::mt19937_64 engine_;
};

class RandomSearch : public Search {
 public:
  explicit RandomSearch(std::uint64_t seed) : dice_(seed) {}

 protected:
  bool begin() override { return true; }
  unsigned pick(const Choice& choice) override {
    Threads candidates = choice.candidates;
    auto skip = dice_.below(static_cast<std::uint64_t>(std::popcount(candidates)));
    while (skip-- > 0) candidates &= candidates - 1;
    return static_cast<unsigned>(std::countr_zero(candidates));
  }
  unsigned pick_value(unsigned count) override { return static_cast<unsigned>(dice_.below(count)); }

  Dice dice_;
};

// The candidate with the highest priority runs. At each of depth - 1 steps drawn beforehand,
// whoever is about to run is put behind all others.
class PctSearch : public RandomSearch {
 public:
  PctSearch(std::uint64_t seed, unsigned depth) : RandomSearch(seed), depth_(depth) {}

 private:
  bool begin() override {
    longest_ = std::max(longest_, step_);
    step_ = 0;
    for (std::uint64_t& priority : priorities_) priority = depth_ + dice_.roll() / 2;
    changes_.clear();
    for (unsigned i = 1; i < depth_; ++i) changes_.push_back(1 + dice_.below(longest_));
    return true;
  }

  unsigned highest(Threads candidates) const {
    auto best = static_cast<unsigned>(std::countr_zero(candidates));
    for (Threads left = candidates; left != 0; left &= left - 1) {
      const auto thread = static_cast<unsigned>(std::countr_zero(left));
      if (priorities_[thread] > priorities_[best]) best = thread;
    }
    return best;
  }

  unsigned pick(const Choice& choice) override {
    // Priorities know no fairness: who polls would keep the others from changing anything.
    const Threads candidates = choice.preferred;
    ++step_;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (changes_[i] == step_) priorities_[highest(candidates)] = i;
    }
    return highest(candidates);
  }

  const unsigned depth_;
  std::uint64_t step_ = 0;
  // The number of steps is not known beforehand: as many as the longest execution so far.
  std::uint64_t longest_ = 20;
  std::array<std::uint64_t, most_threads> priorities_{};
  std::vector<std::uint64_t> changes_;
};

// Each pending step has a priority of its own, drawn anew when a step that it races with was taken.
class PosSearch : public RandomSearch {
 public:
  using RandomSearch::RandomSearch;

 private:
  bool begin() override {
    drawn_ = 0;
    return true;
  }

  unsigned pick(const Choice& choice) override {
    unsigned best = most_threads;
    for (Threads left = choice.preferred; left != 0; left &= left - 1) {
      const auto thread = static_cast<unsigned>(std::countr_zero(left));
      if ((drawn_ & only(thread)) == 0) priorities_[thread] = dice_.roll();
      drawn_ |= only(thread);
      if (best == most_threads || priorities_[thread] > priorities_[best]) best = thread;
    }
    const Step step = pending_step(best);
    drawn_ &= ~only(best);
    for (Threads left = drawn_; left != 0; left &= left - 1) {
      const auto thread = static_cast<unsigned>(std::countr_zero(left));
      if (depends(pending_step(thread), step)) drawn_ &= ~only(thread);
    }
    return best;
  }

  Threads drawn_ = 0;
  std::array<std::uint64_t, most_threads> priorities_{};
};

class GuidedSearch : public Search {
 public:
  explicit GuidedSearch(Schedule guide) : guide_(std::move(guide)) {}

 private:
  bool begin() override {
    segment_ = value_ = 0;
    taken_ = 0;
    return true;
  }

  unsigned pick(const Choice& choice) override {
    for (; segment_ < guide_.segments.size(); ++segment_, taken_ = 0) {
      const Segment& segment = guide_.segments[segment_];
      if (taken_ >= segment.steps || (choice.candidates & only(segment.thread)) == 0) continue;
      ++taken_;
      return segment.thread;
    }
    return usual_choice(choice);
  }

  unsigned pick_value(unsigned count) override {
    if (value_ >= guide_.values.size()) return 0;
    return std::min<unsigned>(guide_.values[value_++], count - 1);
  }

  const Schedule guide_;
  std::size_t segment_ = 0;
  std::uint32_t taken_ = 0;
  std::size_t value_ = 0;
};

}  // namespace

std::unique_ptr<Search> make_random_search(std::uint64_t seed) {
  return std::make_unique<RandomSearch>(seed);
}
std::unique_ptr<Search> make_pct_search(std::uint64_t seed, unsigned depth) {
  return std::make_unique<PctSearch>(seed, depth);
}
std::unique_ptr<Search> make_pos_search(std::uint64_t seed) {
  return std::make_unique<PosSearch>(seed);
}
std::unique_ptr<Search> make_guided_search(Schedule schedule) {
  return std::make_unique<GuidedSearch>(std::move(schedule));
}

}  // namespace tutti::inline TUTTI_ABI::explore
