// Depth-first search: every schedule once, or one of each class of equivalent ones.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "explore/search.h"
#include "explore/touched.h"
#include "platform/explore/order.h"

namespace tutti::inline TUTTI_ABI::explore {

using platform::Access;
using platform::exploring::Clock;
using platform::exploring::depends;
using platform::exploring::most_threads;
using platform::exploring::scheduler;

namespace {

// A state on the path from the beginning to the last choice, and the choice made there.
struct Node {
  bool is_value = false;
  // Of a value.
  unsigned value = 0;
  unsigned count = 0;
  // Of a thread.
  unsigned chosen = 0;
  Step step;
  unsigned object = 0;
  Threads candidates = 0;
  /// To be tried here, and tried.
  Threads backtrack = 0;
  Threads done = 0;
  /// What has been tried further up, and nothing since has made it different (Godefroid's sleep
  /// set).
  Threads sleep = 0;
  unsigned preemptions = 0;
  /// The step's number among its thread's, and what happens before it.
  std::uint32_t time = 0;
  Clock clock;
};

class DepthFirst : public Search {
 public:
  bool was_redundant() const override { return is_redundant_; }
  void stop_branching() override { is_redundant_ = true; }

 protected:
  bool begin() override {
    if (is_first_) {
      is_first_ = false;
    } else if (!backtrack()) {
      return false;
    }
    depth_ = 0;
    replayed_ = path_.size();
    is_redundant_ = false;
    touched_.clear();
    restart();
    return true;
  }

  unsigned pick(const Choice& choice) override {
    if (is_redundant_ || !divergence_.empty()) return usual_choice(choice);
    if (depth_ < replayed_) {
      Node& node = path_[depth_];
      if (!is_as_before(node, choice.candidates)) return usual_choice(choice);
    } else {
      add_node(choice);
      if (is_redundant_) return usual_choice(choice);
    }
    Node& node = path_[depth_];
    const bool is_new = depth_ + 1 >= replayed_;
    after_choice(depth_, is_new, choice);
    ++depth_;
    return node.chosen;
  }

  unsigned pick_value(unsigned count) override {
    if (is_redundant_ || !divergence_.empty()) return 0;
    if (depth_ < replayed_) {
      const Node& node = path_[depth_];
      if (!node.is_value || node.count != count) {
        diverge("a choice of " + std::to_string(count) + " values");
        return 0;
      }
      ++depth_;
      return node.value;
    }
    path_.emplace_back();
    path_.back().is_value = true;
    path_.back().count = count;
    ++depth_;
    return 0;
  }

  virtual void restart() {}
  /// The state before the one at `depth`, choices of values left out; null for the first.
  const Node* node_before(std::size_t depth) const {
    while (depth > 0 && path_[depth - 1].is_value) --depth;
    return depth == 0 ? nullptr : &path_[depth - 1];
  }
  /// Fills in what may be tried at a new node.
  virtual void begin_node(Node& node, const Choice& choice) = 0;
  /// All candidates sleep, so the rest of the execution only repeats others.
  virtual void before_cut(const Choice& /*choice*/) {}
  /// The thread chosen at a node is about to take its step.
  virtual void after_choice(std::size_t depth, bool is_new, const Choice& choice) = 0;

  std::vector<Node> path_;
  Touched touched_;
  std::size_t depth_ = 0;
  bool is_redundant_ = false;

 private:
  // The next path: the last choice that has an alternative left takes it.
  bool backtrack() {
    while (!path_.empty()) {
      Node& node = path_.back();
      if (node.is_value) {
        if (++node.value < node.count) return true;
      } else {
        node.done |= only(node.chosen);
        const Threads left = node.backtrack & ~node.done & ~node.sleep;
        if (left != 0) {
          node.chosen = static_cast<unsigned>(std::countr_zero(left));
          return true;
        }
      }
      path_.pop_back();
    }
    return false;
  }

  void add_node(const Choice& choice) {
    Node node;
    node.candidates = choice.candidates;
    begin_node(node, choice);
    const Threads awake = choice.candidates & ~node.sleep;
    // Where some sleep and the others poll, going on polling would only repeat what was.
    if (awake == 0 || (awake != choice.candidates && (awake & ~choice.resting) == 0)) {
      before_cut(choice);
      is_redundant_ = true;
      return;
    }
    node.chosen = usual_choice(choice, awake & (node.backtrack != 0 ? node.backtrack : awake));
    node.step = pending_step(node.chosen);
    node.object = touched_.number_of(node.step.object);
    node.backtrack |= only(node.chosen);
    path_.push_back(std::move(node));
  }

  bool is_as_before(Node& node, Threads candidates) {
    if (node.is_value) {
      diverge("a scheduling point");
      return false;
    }
    const Step step = pending_step(node.chosen);
    // The last one's choice is new.
    const bool is_known = depth_ + 1 < replayed_;
    if (node.candidates != candidates) {
      diverge("other threads can run");
      return false;
    }
    if (is_known &&
        (step.name != node.step.name || touched_.number_of(step.object) != node.object)) {
      diverge(std::string(step.name) + " where " + node.step.name + " was");
      return false;
    }
    if (!is_known) node.object = touched_.number_of(step.object);
    node.step = step;  // With this execution's addresses.
    return true;
  }

  void diverge(const std::string& what) {
    divergence_ = "in step " + std::to_string(depth_ + 1) + " of a schedule run again: " + what;
  }

  std::size_t replayed_ = 0;
  bool is_first_ = true;
};

// Dynamic partial-order reduction. Two steps race if they depend on each other and nothing orders
// them; for each race found on the way, the other order is tried too, by adding a thread that can
// begin it to the state before the earlier step (source sets). Sleep sets keep the same from being
// tried twice.
class ReducedDepthFirst : public DepthFirst {
 private:
  void restart() override {
    for (unsigned i = 0; i < width_; ++i) {
      clocks_[i] = {};
      last_step_[i] = no_event;
    }
    width_ = 0;
    when_time_passed_ = {};
    last_everything_ = no_event;
  }

  void begin_node(Node& node, const Choice& /*choice*/) override {
    const Node* before = node_before(depth_);
    if (before == nullptr) return;
    const Node& parent = *before;
    const Threads tried = (parent.sleep | parent.done) & ~only(parent.chosen);
    for (Threads left = tried; left != 0; left &= left - 1) {
      const auto thread = static_cast<unsigned>(std::countr_zero(left));
      if (!depends(pending_step(thread), parent.step)) node.sleep |= only(thread);
    }
  }

  void widen(unsigned thread) {
    for (; width_ <= thread; ++width_) {
      clocks_[width_] = {};
      last_step_[width_] = no_event;
    }
  }

  void enabled(unsigned thread) override {
    if (is_redundant_) return;
    widen(thread);
    clocks_[thread].join(clocks_[scheduler().running().index], width_);
  }

  // A thread that stands at a shut gate, or rests, would still have taken its step one day, in a
  // race with some step before.
  void before_cut(const Choice& choice) override {
    for (unsigned thread = 0; thread < scheduler().thread_count(); ++thread) {
      const auto& strand = scheduler().strand(thread);
      const bool stands = strand.state == platform::exploring::Strand::State::ready;
      if (!stands || (choice.candidates & only(thread)) != 0) continue;
      widen(thread);
      Node node;
      node.chosen = thread;
      node.step = strand.pending;
      Clock clock = clocks_[thread];
      const Clock before = advance(clock, node);
      path_.push_back(std::move(node));
      reverse_races(path_.size() - 1, before);
      path_.pop_back();
    }
  }

  void after_choice(std::size_t depth, bool is_new, const Choice& choice) override {
    Node& node = path_[depth];
    const unsigned thread = node.chosen;
    widen(thread);
    Clock& clock = clocks_[thread];
    if (choice.time_passes) {
      // All have come as far as they could: who is woken by time comes after that.
      for (unsigned other = 0; other < width_; ++other)
        when_time_passed_.join(clocks_[other], width_);
    }
    if (choice.time_passes || (choice.expired & only(thread)) != 0) {
      clock.join(when_time_passed_, width_);
    }
    const Step& step = node.step;
    const Clock before = advance(clock, node);
    if (is_new) reverse_races(depth, before);
    const auto number = static_cast<std::uint32_t>(depth);
    last_step_[thread] = number;
    if (step.access == Access::everything) {
      last_everything_ = number;
    } else if (step.access != Access::none) {
      note(step, step.object, step.access, thread, number);
      note(step, step.also, step.also_access, thread, number);
    }
  }

  /// Has the clock of the node's thread pass its step; returns what it was before.
  Clock advance(Clock& clock, Node& node) {
    find_conflicts(node.step);
    const Clock before = clock;
    for (const std::uint32_t event : conflicts_) clock.join(path_[event].clock, width_);
    node.time = ++clock.times[node.chosen];
    node.clock = clock;
    return before;
  }

  /// Of the steps so far, those that this one depends on, and those that it may race with.
  void find_conflicts(const Step& step) {
    conflicts_.clear();
    races_.clear();
    if (step.access == Access::everything) {
      for (unsigned other = 0; other < width_; ++other) add_conflict(last_step_[other]);
    } else if (step.access != Access::none) {
      add_conflict(last_everything_);
      add_conflicts_on(step, step.object, step.access);
      add_conflicts_on(step, step.also, step.also_access);
    }
  }

  /// `before`: what the later step's thread knew before it.
  void reverse_races(std::size_t later, const Clock& before) {
    for (const std::uint32_t event : races_) {
      const Node& earlier = path_[event];
      if (earlier.chosen != path_[later].chosen && !before.knows(earlier.chosen, earlier.time)) {
        reverse_race(event, later);
      }
    }
  }

  void add_conflict(std::uint32_t event) {
    if (event == no_event) return;
    conflicts_.push_back(event);
    races_.push_back(event);
  }

  void add_conflicts_on(const Step& step, const void* object, Access access) {
    if (object == nullptr) return;
    const Touched::Object& entry = touched_.find(object);
    if (step.gate == nullptr) {
      add_conflict(entry.last_write());
    } else if (!entry.writes.empty()) {
      conflicts_.push_back(entry.last_write());
      // A step through a gate could have come before the last step that found the gate open: not
      // before those since, for they found it shut.
      for (auto write = entry.writes.rbegin(); write != entry.writes.rend(); ++write) {
        if (write->found != Touched::Found::shut) races_.push_back(write->event);
        if (write->found == Touched::Found::open) break;
      }
    }
    if (access == Access::read) return;
    for (Threads left = entry.readers; left != 0; left &= left - 1) {
      add_conflict(entry.last_read[static_cast<unsigned>(std::countr_zero(left))]);
    }
  }

  void note(const Step& step, const void* object, Access access, unsigned thread,
            std::uint32_t number) {
    if (object == nullptr) return;
    Touched::Object& entry = touched_.find(object);
    if (step.gate != nullptr) entry.gate = step.gate;
    Touched::Found found = Touched::Found::unknown;
    if (entry.gate != nullptr) {
      found = scheduler().is_gate_open(entry.gate, object) ? Touched::Found::open
                                                           : Touched::Found::shut;
    }
    touched_.note(object, thread, number, access, found);
  }

  // The steps between the two that do not come after the earlier one, and then the later one, are
  // possible from the state before the earlier one, in this order. Any thread that could take the
  // first step of it (an initial) will do.
  void reverse_race(std::size_t earlier, std::size_t later) {
    Node& state = path_[earlier];
    after_.clear();
    for (std::size_t i = earlier + 1; i <= later; ++i) {
      const Node& node = path_[i];
      if (node.is_value) continue;
      if (i != later && node.clock.knows(state.chosen, state.time)) continue;
      after_.push_back(i);
    }
    Threads seen = 0;
    Threads initials = 0;
    for (std::size_t i = 0; i < after_.size(); ++i) {
      const Node& node = path_[after_[i]];
      if ((seen & only(node.chosen)) != 0) continue;
      seen |= only(node.chosen);
      bool is_initial = true;
      for (std::size_t j = 0; j < i && is_initial; ++j) {
        const Node& previous = path_[after_[j]];
        is_initial = !node.clock.knows(previous.chosen, previous.time);
      }
      if (is_initial) initials |= only(node.chosen);
    }
    if ((initials & state.backtrack) != 0) return;
    // Threads that rest are no candidates, as long as nobody changes what they wait for.
    const Threads possible = initials & state.candidates;
    const unsigned thread = path_[later].chosen;
    if ((possible & only(thread)) != 0) {
      state.backtrack |= only(thread);
    } else if (possible != 0) {
      state.backtrack |= possible & (~possible + 1);
    }
  }

  static constexpr std::uint32_t no_event = Touched::no_event;

  unsigned width_ = 0;
  std::array<Clock, most_threads> clocks_;
  std::array<std::uint32_t, most_threads> last_step_;
  std::uint32_t last_everything_ = no_event;
  /// What was known when time last went on.
  Clock when_time_passed_;
  /// Steps that the current one depends on, and those of them that might have come after it.
  std::vector<std::uint32_t> conflicts_;
  std::vector<std::uint32_t> races_;
  std::vector<std::size_t> after_;
};

// All schedules with at most so many preemptions: switches away from a thread that could go on.
class BoundedDepthFirst : public DepthFirst {
 public:
  explicit BoundedDepthFirst(unsigned preemptions) : bound_(preemptions) {}

 private:
  void begin_node(Node& node, const Choice& choice) override {
    const unsigned running = choice.running;
    const Node* parent = node_before(depth_);
    node.preemptions = parent == nullptr ? 0 : parent->preemptions + preempts(*parent);
    const bool goes_on = (node.candidates & only(running)) != 0;
    node.backtrack = goes_on && node.preemptions == bound_ ? only(running) : node.candidates;
  }

  // A node's running thread is the one chosen before it.
  unsigned preempts(const Node& node) const {
    const Node* before = node_before(static_cast<std::size_t>(&node - path_.data()));
    if (before == nullptr) return 0;
    const unsigned running = before->chosen;
    return running != node.chosen && (node.candidates & only(running)) != 0 ? 1 : 0;
  }

  void after_choice(std::size_t /*depth*/, bool /*is_new*/, const Choice& /*choice*/) override {}

  const unsigned bound_;
};

}  // namespace

std::unique_ptr<Search> make_reduced_depth_first_search() {
  return std::make_unique<ReducedDepthFirst>();
}
std::unique_ptr<Search> make_bounded_depth_first_search(unsigned preemptions) {
  return std::make_unique<BoundedDepthFirst>(preemptions);
}

}  // namespace tutti::inline TUTTI_ABI::explore
