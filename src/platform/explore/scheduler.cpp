#include "platform/explore/scheduler.h"

#include <algorithm>
#include <bit>
#include <ctime>

#include "platform/explore/memory.h"
#include "platform/explore/order.h"

namespace tutti::inline TUTTI_ABI::platform {

namespace {
constinit Current words_outside{};
}
constinit Current* current_words = &words_outside;

namespace exploring {

constinit std::uint32_t active = 0;

namespace {

constexpr std::size_t usual_stack = std::size_t{8} << 20;
// A thread that has looked at the same things so often, and found and changed nothing new, is
// polling: others go first. After so many looks it rests until something has changed.
constexpr unsigned looks_before_yield = 3;
constexpr unsigned looks_before_rest = 4;

// So often in one execution a thread may try in vain before it is no longer explored what comes of
// it.
constexpr std::uint8_t most_tries_in_vain = 4;

bool depends(const void* a, Access access_a, const void* b, Access access_b) noexcept {
  return a != nullptr && a == b && access_a != Access::none && access_b != Access::none &&
         (access_a == Access::write || access_b == Access::write);
}

}  // namespace

bool depends(const Step& a, const Step& b) noexcept {
  if (a.access == Access::everything || b.access == Access::everything) return true;
  return depends(a.object, a.access, b.object, b.access) ||
         depends(a.object, a.access, b.also, b.also_access) ||
         depends(a.also, a.also_access, b.object, b.access) ||
         depends(a.also, a.also_access, b.also, b.also_access);
}

Scheduler& scheduler() noexcept {
  static Scheduler& only_one = *new Scheduler;
  return only_one;
}

double real_seconds() noexcept {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// --- one execution -------------------------------------------------------------------------------

End Scheduler::run(void (*body)(void*), void* argument, const Rules& rules, Driver& driver,
                   Recorder* recorder) {
  rules_ = rules;
  driver_ = &driver;
  recorder_ = recorder;
  const AllocationsMayStay from_here_on;
  thread_count_ = 0;
  ready_ = gated_ = yielded_ = resting_ = timed_ = 0;
  time_ = beginning;
  steps_ = 0;
  is_stopping_ = has_cut_polling_ = false;
  parked_.clear();
  lines_.clear();
  tries_in_vain_.fill(0);
  if (kernel_thread_ != pthread_self()) {
    kernel_thread_ = pthread_self();
    find_thread_locals();
  }
  restart_process(end_ != End::completed);
  order().restart(rules);

  struct Body {
    void (*function)(void*);
    void* argument;
  } main{body, argument};
  Strand& first = new_strand(0);
  first.entry = [](void* given) -> void* {
    const Body& its = *static_cast<Body*>(given);
    its.function(its.argument);
    return nullptr;
  };
  first.argument = &main;

  outside_locals_.renew();
  outside_locals_.copy_out();
  running_ = &first;
  current_words = &first.current;
  set_active();
  set_running_locals(&first.locals);
  first.locals.copy_in();
  {
    const KeptMemory while_it_runs;
    outside_.switch_to(first.context);
    // Back here when it has ended.
    outside_locals_.copy_in();
  }
  return end_;
}

void Scheduler::finish(End end) noexcept {
  end_ = end;
  Strand& last = *running_;
  for (unsigned i = 0; i < thread_count_; ++i) {
    Strand& strand = *strands_[i];
    strand.stack->is_abandoned = strand.state != Strand::State::ended;
  }
  running_ = nullptr;
  active = 0;
  set_running_locals(nullptr);
  current_words = &words_outside;
  last.context.switch_to(outside_);
  __builtin_unreachable();
}

void Scheduler::stop() noexcept {
  finish(End::stopped);
}

// --- threads -------------------------------------------------------------------------------------

Strand& Scheduler::new_strand(std::size_t stack_size) {
  const unsigned index = thread_count_++;
  if (index == strands_.size()) strands_.push_back(std::make_unique<Strand>());
  Strand& strand = *strands_[index];
  if (stack_size == 0) stack_size = usual_stack;
  if (strand.stack == nullptr || strand.stack->size() < stack_size) {
    strand.stack = std::make_unique<Stack>(stack_size);
  }
  strand.index = index;
  strand.state = Strand::State::ready;
  strand.pending = {.name = "begin"};
  strand.resumes = false;
  strand.deadline = never;
  strand.in_time = true;
  strand.operations = 0;
  strand.has_words = false;
  strand.current = {};
  strand.at_exit = nullptr;
  strand.look_count = 0;
  strand.locals.renew();
  strand.context.prepare(*strand.stack, enter, &strand);
  ready_ |= only(index);
  order().begin_thread(index, running_ == nullptr ? index : running_->index);
  return strand;
}

void Scheduler::enter(void* pointer) {
  auto& strand = *static_cast<Strand*>(pointer);
  strand.context.arrived();
  strand.entry(strand.argument);
  scheduler().end_of_thread();
}

void Scheduler::end_of_thread() noexcept {
  Strand& strand = *running_;
  strand.locals.destroy();
  // As for a pthread key, once more if it was set again meanwhile.
  while (strand.at_exit != nullptr) {
    auto* function = strand.at_exit;
    strand.at_exit = nullptr;
    function(strand.at_exit_argument);
  }
  changed();
  strand.state = Strand::State::ended;
  ready_ &= ~only(strand.index);
  for (unsigned i = 0; i < thread_count_; ++i) {
    Strand& other = *strands_[i];
    if (other.state == Strand::State::joining && other.joined == strand.index) make_ready(other);
  }
  reschedule();
  __builtin_unreachable();
}

// A program ends with its last thread that is no daemon. (A daemon has registered, and no pass.)
bool Scheduler::only_daemons_are_left() const noexcept {
  bool some_are_left = false;
  for (unsigned i = 0; i < thread_count_; ++i) {
    const Strand& strand = *strands_[i];
    if (strand.state == Strand::State::ended) continue;
    if (strand.current.self == nullptr || strand.current.pass != 0) return false;
    some_are_left = true;
  }
  return some_are_left;
}

bool Scheduler::start(void* (*entry)(void*), void* argument, std::size_t stack_size,
                      unsigned& index) {
  if (thread_count_ == most_threads) return false;
  Strand& strand = new_strand(stack_size);
  strand.entry = entry;
  strand.argument = argument;
  driver_->enabled(strand.index);
  index = strand.index;
  return true;
}

void Scheduler::join(unsigned index) noexcept {
  Strand& strand = *running_;
  if (strands_[index]->state != Strand::State::ended) {
    strand.state = Strand::State::joining;
    strand.joined = index;
    ready_ &= ~only(strand.index);
    if (recorder_ != nullptr) recorder_->waits(strand.index);
    reschedule();
  }
  order().join_thread(index, strand.index);
}

// --- waiting -------------------------------------------------------------------------------------

bool Scheduler::park(const void* word, std::int64_t deadline) noexcept {
  Strand& strand = *running_;
  if (deadline <= time_) return false;
  changed();
  strand.state = Strand::State::parked;
  strand.word = word;
  strand.deadline = deadline;
  strand.in_time = true;
  ready_ &= ~only(strand.index);
  if (deadline != never) timed_ |= only(strand.index);
  parked_.push_back(&strand);
  if (recorder_ != nullptr) recorder_->waits(strand.index);
  reschedule();
  return strand.in_time;
}

void Scheduler::unpark(const void* word, int count) noexcept {
  for (auto it = parked_.begin(); it != parked_.end() && count > 0;) {
    if ((*it)->word != word) {
      ++it;
      continue;
    }
    Strand& strand = **it;
    it = parked_.erase(it);
    --count;
    make_ready(strand);
  }
}

void Scheduler::end_wait(Strand& strand) noexcept {
  strand.state = Strand::State::ready;
  strand.resumes = true;
  ready_ |= only(strand.index);
  timed_ &= ~only(strand.index);
}

void Scheduler::make_ready(Strand& strand) noexcept {
  changed();
  end_wait(strand);
  driver_->enabled(strand.index);
}

// --- steps ---------------------------------------------------------------------------------------

void Scheduler::point(const Step& step) noexcept {
  running_->pending = step;
  if (step.gate != nullptr) gated_ |= only(running_->index);
  if (recorder_ != nullptr) recorder_->announced(running_->index);
  reschedule();
}

void Scheduler::yield() noexcept {
  looked(nullptr, 0);
  yielded_ |= only(running_->index);
  point({.name = "yield"});
}

void Scheduler::begin_operation(const Step& step, bool has_words) noexcept {
  Strand& strand = *running_;
  if (strand.operations++ > 0) return;
  strand.operation = step;
  strand.found_only = step.access == Access::read;
  strand.has_words = has_words;
  set_active();
  if (rules_.words_are_points && has_words) {
    if (recorder_ != nullptr) recorder_->operation(step);
  } else {
    point(step);
  }
}

void Scheduler::pause_operation() noexcept {
  Strand& strand = *running_;
  if (strand.operations == 1 && !(rules_.words_are_points && strand.has_words)) {
    point(strand.operation);
  }
}

void Scheduler::end_operation() noexcept {
  Strand& strand = *running_;
  if (--strand.operations > 0) return;
  strand.has_words = false;
  set_active();
  if (!strand.found_only) changed();
}

// Polling that changes something each time, as std::lock() does with several locks, could go on for
// ever in an unlucky order.
void Scheduler::tried_in_vain() noexcept {
  if (running_->operations > 1) return;
  found(0);
  if (++tries_in_vain_[running_->index] > most_tries_in_vain) {
    has_cut_polling_ = true;
    driver_->stop_branching();
  }
}

void Scheduler::found(std::uint64_t value) noexcept {
  if (running_->operations > 1) return;
  running_->found_only = true;
  looked(running_->pending.object, value);
}

void Scheduler::set_active() noexcept {
  std::uint32_t bits = user_points;
  if (rules_.words_are_points && running_->has_words) bits |= library_points;
  if (rules_.follows_order) bits |= ordered;
  // Values of words are told where words are points, and those of the user's always.
  if (recorder_ != nullptr) bits |= told;
  active = bits;
}

void Scheduler::looked(const void* object, std::uint64_t value) noexcept {
  Strand& strand = *running_;
  for (std::size_t i = 0; i < strand.look_count; ++i) {
    Strand::Look& look = strand.looks[i];
    if (look.object != object) continue;
    if (look.value != value) {
      strand.look_count = 0;
      return;
    }
    if (++look.count > looks_before_yield) yielded_ |= only(strand.index);
    if (look.count > looks_before_rest) resting_ |= only(strand.index);
    return;
  }
  if (strand.look_count == Strand::most_looks) strand.look_count = 0;
  strand.looks[strand.look_count++] = {object, value, 1};
}

void Scheduler::reschedule() noexcept {
  Strand& before = *running_;
  Strand* next = choose();
  if (next != &before) go_on_in(*next);
}

// Of the threads at a gate, those whose gate is open.
Threads Scheduler::open_gates() noexcept {
  Threads open = 0;
  for (Threads left = gated_; left != 0; left &= left - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(left));
    Strand& strand = *strands_[index];
    const Unobserved as(strand.current);
    if (strand.pending.gate(strand.pending.object)) open |= only(index);
  }
  return open;
}

bool Scheduler::is_gate_open(Gate gate, const void* object) noexcept {
  Current nobody{};
  const Unobserved as(nobody);
  return gate(object);
}

Threads Scheduler::with_deadline_until(std::int64_t time) const noexcept {
  Threads found = 0;
  for (Threads left = timed_; left != 0; left &= left - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(left));
    if (strands_[index]->deadline <= time) found |= only(index);
  }
  return found;
}

std::int64_t Scheduler::earliest_deadline() const noexcept {
  std::int64_t earliest = never;
  for (Threads left = timed_; left != 0; left &= left - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(left));
    earliest = std::min(earliest, strands_[index]->deadline);
  }
  return earliest;
}

Strand* Scheduler::choose() noexcept {
  if (is_stopping_) finish(End::stopped);
  if (strands_[0]->state == Strand::State::ended && only_daemons_are_left()) finish(End::stuck);
  if (++steps_ > rules_.longest) finish(End::too_long);
  Choice choice{};
  choice.running = running_->index;
  choice.expired = timed_ == 0 ? 0 : with_deadline_until(time_);
  Threads ready = ready_ | choice.expired;
  if (gated_ != 0) ready &= ~gated_ | open_gates();
  if (rules_.lets_pollers_rest && (ready & resting_) != 0) {
    has_cut_polling_ = true;
    if ((ready & ~resting_) != 0) ready &= ~resting_;
  }
  choice.resting = rules_.lets_pollers_rest ? ready & resting_ : 0;
  choice.candidates = rules_.timeouts_at_any_time ? ready | timed_ : ready;
  choice.preferred = (ready & ~yielded_) != 0 ? ready & ~yielded_ : ready;
  if (choice.preferred == 0) choice.preferred = choice.candidates;
  if (choice.candidates == 0) {
    if (timed_ == 0) {
      const bool all_ended =
          std::all_of(strands_.begin(), strands_.begin() + thread_count_,
                      [](const auto& strand) { return strand->state == Strand::State::ended; });
      finish(all_ended ? End::completed : End::stuck);
    }
    choice.candidates = choice.preferred = with_deadline_until(earliest_deadline());
    choice.time_passes = true;
  }
  const unsigned chosen = driver_->choose_thread(choice);
  Strand& next = *strands_[chosen];
  // Who polls has nothing to see until somebody has changed something.
  const bool all_poll = (choice.candidates & ~yielded_) == 0;
  yielded_ = all_poll || choice.time_passes ? 0 : yielded_ & ~only(chosen);
  if (choice.time_passes) resting_ = 0;
  gated_ &= ~only(chosen);
  if (next.state == Strand::State::parked) {
    next.in_time = false;
    time_ = std::max(time_, next.deadline);
    std::erase(parked_, &next);
    end_wait(next);
    if (recorder_ != nullptr) recorder_->timed_out(chosen);
  }
  if (recorder_ != nullptr) recorder_->step(chosen, next.pending, time_, next.resumes);
  next.resumes = false;
  return &next;
}

void Scheduler::go_on_in(Strand& next) noexcept {
  Strand& before = *running_;
  before.locals.copy_out();
  running_ = &next;
  current_words = &next.current;
  set_running_locals(&next.locals);
  set_active();
  next.locals.copy_in();
  before.context.switch_to(next.context);
}

}  // namespace exploring
}  // namespace tutti::inline TUTTI_ABI::platform
