// The scheduler of the exploring floor: runs one execution of a program, one step at a time, as a
// driver tells it.
#pragma once

#include <pthread.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/explore/context.h"
#include "platform/explore/numbering.h"
#include "platform/explore/thread_locals.h"
#include "tutti/platform/explore.h"

namespace tutti::inline TUTTI_ABI::platform::exploring {

inline constexpr unsigned most_threads = 64;
/// A set of threads, a bit for each.
using Threads = std::uint64_t;
constexpr Threads only(unsigned thread) {
  return Threads{1} << thread;
}

/// What a thread is about to do. A step lasts from one scheduling point to the thread's next.
struct Step {
  /// "Lock.acquire", "load"…
  const char* name = "";
  const void* object = nullptr;
  Access access = Access::none;
  const void* also = nullptr;
  Access also_access = Access::none;
  /// Shut while the step can't be taken.
  Gate gate = nullptr;
};

/// Two steps of different threads that can't change places unnoticed.
bool depends(const Step& a, const Step& b) noexcept;

/// Who could take the next step.
struct Choice {
  /// At least one thread.
  Threads candidates;
  /// Those of them that had better: who does not poll, and whose time-out, if it waits, is not
  /// early. At least one.
  Threads preferred;
  /// Those of them that poll, when there are no others.
  Threads resting;
  /// Those of them that wait and whose deadline has come.
  Threads expired;
  /// The thread that took the last step.
  unsigned running;
  /// All threads wait: time goes on to the deadline of the one that is chosen.
  bool time_passes;
};

/// Decides what happens next. Called inside of the running thread: must not throw, nor use tutti.
class Driver {
 public:
  virtual ~Driver() = default;
  /// One of the choice's candidates.
  virtual unsigned choose_thread(const Choice& choice) = 0;
  /// A number below `count`, which is at least 2; 0 is the usual outcome.
  virtual unsigned choose_value(unsigned count) = 0;
  /// `thread`, parked until now, goes on because of what the running thread does.
  virtual void enabled(unsigned /*thread*/) {}
  /// A thread tries the same over and over: from here on, any way to the end will do.
  virtual void stop_branching() {}
};

/// Writes down what happens, for the story of a failure.
class Recorder {
 public:
  virtual ~Recorder() = default;
  /// `thread` has come to its next point: here is where in the program that is.
  virtual void announced(unsigned thread) = 0;
  virtual void step(unsigned thread, const Step& step, std::int64_t time, bool resumes) = 0;
  virtual void waits(unsigned thread) = 0;
  virtual void timed_out(unsigned thread) = 0;
  virtual void read(const void* object, Value value) = 0;
  virtual void written(const void* object, Value before, Value value) = 0;
  /// The operation at whose words the threads are switched begins.
  virtual void operation(const Step& step) = 0;
};

enum class End {
  /// All threads have ended.
  completed,
  /// Threads are left that nothing will wake.
  stuck,
  /// More steps than allowed.
  too_long,
  /// By stop().
  stopped,
};

struct Rules {
  bool words_are_points = false;
  bool follows_order = false;
  bool is_relaxed = false;
  bool finds_races = true;
  bool timeouts_at_any_time = false;
  /// A thread that polls is not run until something changes: for a search that would otherwise
  /// never end.
  bool lets_pollers_rest = false;
  std::uint32_t longest = 20'000;
};

/// Virtual time begins here, so that a deadline in the past is possible.
inline constexpr std::int64_t beginning = 1'000'000'000;

/// While it lives, nothing that uses tutti counts as the program's; it may be done in the place of
/// another thread.
class Unobserved {
 public:
  Unobserved() noexcept : active_(active), words_(current_words) { active = 0; }
  explicit Unobserved(Current& as) noexcept : Unobserved() { current_words = &as; }
  ~Unobserved() {
    active = active_;
    current_words = words_;
  }
  Unobserved(const Unobserved&) = delete;
  Unobserved& operator=(const Unobserved&) = delete;

 private:
  const std::uint32_t active_;
  Current* const words_;
};

/// A thread of the program under test.
struct Strand {
  unsigned index = 0;
  enum class State { ready, parked, joining, ended } state = State::ready;
  Step pending;
  /// It was waiting, and was told to go on.
  bool resumes = false;

  const void* word = nullptr;
  std::int64_t deadline = never;
  bool in_time = true;
  unsigned joined = 0;

  /// The operation that it is inside of, if any; how many operations, and whether their words are
  /// points.
  Step operation;
  unsigned operations = 0;
  bool has_words = false;
  /// The operation has changed nothing.
  bool found_only = false;

  Current current{};
  void* (*entry)(void*) = nullptr;
  void* argument = nullptr;
  void (*at_exit)(void*) = nullptr;
  void* at_exit_argument = nullptr;

  /// Loads that told it nothing new: it may be polling.
  struct Look {
    const void* object;
    std::uint64_t value;
    unsigned count;
  };
  static constexpr std::size_t most_looks = 4;
  Look looks[most_looks] = {};
  std::size_t look_count = 0;

  Context context;
  std::unique_ptr<Stack> stack;
  ThreadLocals locals;
};

class Scheduler {
 public:
  /// Runs `body(argument)` as the main thread of a new process, until that has ended in whatever
  /// way.
  End run(void (*body)(void*), void* argument, const Rules& rules, Driver& driver,
          Recorder* recorder);

  bool is_running() const noexcept { return running_ != nullptr; }
  /// Ends the execution here and now. The threads' stacks are left as they are.
  [[noreturn]] void stop() noexcept;
  /// The same at the next scheduling point.
  void stop_soon() noexcept { is_stopping_ = true; }

  Strand& running() noexcept { return *running_; }
  const Rules& rules() const noexcept { return rules_; }
  std::int64_t now() const noexcept { return time_; }
  std::uint32_t steps() const noexcept { return steps_; }
  /// A thread that polled was not run for a while.
  bool has_cut_polling() const noexcept { return has_cut_polling_; }
  unsigned thread_count() const noexcept { return thread_count_; }
  Strand& strand(unsigned index) noexcept { return *strands_[index]; }
  Recorder* recorder() noexcept { return recorder_; }
  Driver& driver() noexcept { return *driver_; }

  /// Asks a gate outside of the program, as if nobody were running: then only what is free is open.
  bool is_gate_open(Gate gate, const void* object) noexcept;

  /// True in the kernel thread that explores: no other may use tutti meanwhile.
  bool is_own_kernel_thread() const noexcept { return pthread_self() == kernel_thread_; }
  /// Numbers cache lines in the order in which they come up.
  std::uint32_t line_number(std::uintptr_t line) { return lines_.number_of(line); }

  // --- called by the running thread ---
  void point(const Step& step) noexcept;
  void yield() noexcept;
  bool park(const void* word, std::int64_t deadline) noexcept;
  void unpark(const void* word, int count) noexcept;
  /// False when there are as many threads as can be.
  bool start(void* (*entry)(void*), void* argument, std::size_t stack_size, unsigned& index);
  void join(unsigned index) noexcept;
  void begin_operation(const Step& step, bool has_words) noexcept;
  void end_operation() noexcept;
  /// Another point in the midst of the operation.
  void pause_operation() noexcept;
  /// A load of `object` has returned `value`.
  void looked(const void* object, std::uint64_t value) noexcept;
  /// The operation under way changes nothing.
  void found(std::uint64_t value) noexcept;
  /// The same, for one that has tried in vain to acquire its object.
  void tried_in_vain() noexcept;
  /// The running thread has changed something: those that poll may look again.
  void changed() noexcept {
    running_->look_count = 0;
    yielded_ &= only(running_->index);
    resting_ = 0;
  }

 private:
  static void enter(void* strand);
  void end_of_thread() noexcept;
  Strand& new_strand(std::size_t stack_size);
  void end_wait(Strand& strand) noexcept;
  void make_ready(Strand& strand) noexcept;
  void reschedule() noexcept;
  bool only_daemons_are_left() const noexcept;
  Threads open_gates() noexcept;
  Threads with_deadline_until(std::int64_t time) const noexcept;
  std::int64_t earliest_deadline() const noexcept;
  Strand* choose() noexcept;
  void go_on_in(Strand& next) noexcept;
  void set_active() noexcept;
  [[noreturn]] void finish(End end) noexcept;

  Strand* running_ = nullptr;
  std::vector<std::unique_ptr<Strand>> strands_;
  unsigned thread_count_ = 0;
  Threads ready_ = 0;
  /// Ready, at a step with a gate.
  Threads gated_ = 0;
  /// They poll: had better not run until somebody has changed something; and have polled for so
  /// long that they don't.
  Threads yielded_ = 0;
  Threads resting_ = 0;
  /// How often each thread has tried in vain to acquire something.
  std::array<std::uint8_t, most_threads> tries_in_vain_{};
  /// Waiting with a deadline.
  Threads timed_ = 0;
  std::int64_t time_ = 0;
  std::uint32_t steps_ = 0;
  Rules rules_;
  Driver* driver_ = nullptr;
  Recorder* recorder_ = nullptr;
  End end_ = End::completed;
  bool is_stopping_ = false;
  bool has_cut_polling_ = false;
  /// Threads parked on a word, the longest waiting first.
  std::vector<Strand*> parked_;

  Numbering lines_;
  pthread_t kernel_thread_{};

  Context outside_;
  ThreadLocals outside_locals_;
};

Scheduler& scheduler() noexcept;

/// Seconds of the real clock, since some moment in the past.
double real_seconds() noexcept;

/// Calls what on_restart() was given. `is_lost`: the last execution was given up.
void restart_process(bool is_lost) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
