#include "tutti/queue/base.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>

#include "runtime/describe.h"
#include "runtime/guard.h"
#include "runtime/waiting.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::queue {

namespace {

using runtime::GuardHolder;
using runtime::Self;
using runtime::WaitKind;

enum class Outcome { waits, served, refused };

/// A thread that waits; lies on its stack. Once its outcome is no longer `waits` it is out of its
/// line, and a wake is sure to come: it does not go away before.
struct Waiting {
  Waiting(Self& waiting, WaitKind kind, const void* queue, void* its_item) noexcept
      : self(waiting), reason(kind, queue), item(its_item) {
    runtime::prepare_to_wait(waiting);
  }

  Self& self;
  runtime::Reason reason;
  /// What a putter brings, or where a getter wants it.
  void* item;
  Outcome outcome = Outcome::waits;
  /// What kept a putter's item from being taken.
  std::exception_ptr failure;
  Waiting* next = nullptr;
  Waiting* previous = nullptr;
};

/// Threads that wait for the same, the longest waiting first.
class Line {
 public:
  bool is_empty() const noexcept { return first_ == nullptr; }

  void append(Waiting& waiting) noexcept {
    waiting.previous = last_;
    (last_ == nullptr ? first_ : last_->next) = &waiting;
    last_ = &waiting;
  }

  void remove(Waiting& waiting) noexcept {
    (waiting.previous == nullptr ? first_ : waiting.previous->next) = waiting.next;
    (waiting.next == nullptr ? last_ : waiting.next->previous) = waiting.previous;
    waiting.next = nullptr;
  }

  Waiting& take_first(Outcome outcome) noexcept {
    Waiting& taken = *first_;
    remove(taken);
    taken.outcome = outcome;
    return taken;
  }

 private:
  Waiting* first_ = nullptr;
  Waiting* last_ = nullptr;
};

/// Those to be woken once the guard is released, in their order.
class ToWake {
 public:
  ToWake() noexcept = default;
  ~ToWake() {
    while (first_ != nullptr) {
      // Once woken, its memory belongs to its thread again.
      Waiting& waiting = *first_;
      first_ = waiting.next;
      runtime::wake(*waiting.self.slot);
    }
  }
  ToWake(const ToWake&) = delete;
  ToWake& operator=(const ToWake&) = delete;

  void add(Waiting& waiting) noexcept {
    waiting.next = nullptr;
    *end_ = &waiting;
    end_ = &waiting.next;
  }
  void add_all(Line& line, Outcome outcome) noexcept {
    while (!line.is_empty()) add(line.take_first(outcome));
  }

 private:
  Waiting* first_ = nullptr;
  Waiting** end_ = &first_;
};

}  // namespace

struct QueueBase::Core {
  std::optional<Result> put(QueueBase& queue, void* item, Waiting* waiting);
  std::optional<Result> get(QueueBase& queue, void* place, Waiting* waiting);
  void admit_putter(QueueBase& queue, ToWake& to_wake) noexcept;

  /// Guards everything here, and what the derived queue keeps.
  runtime::Guard guard;
  Line getters;
  Line putters;
  Line joiners;
  std::size_t unfinished = 0;
  bool is_shut_down = false;

  /// Waits to be served, in a line that the caller has joined. The guard is not held.
  Result wait(Line& line, Waiting& waiting, std::int64_t deadline) {
    const runtime::Ended ended = runtime::wait_for_wake(waiting.self, waiting.reason, deadline);
    if (ended == runtime::Ended::woken) return outcome_of(waiting);
    bool leaves;
    {
      const GuardHolder held(guard);
      leaves = waiting.outcome == Outcome::waits;
      if (leaves) line.remove(waiting);
    }
    if (!leaves) {
      // Served at the last moment: the wake is under way.
      runtime::wait_for_wake(waiting.self, waiting.reason, platform::never,
                             runtime::Interrupts::deferred);
      return outcome_of(waiting);
    }
    if (runtime::must_stop(waiting.self)) runtime::stop_for_good(waiting.self);
    if (ended == runtime::Ended::interrupted) runtime::throw_interrupt();
    return Result::not_in_time;
  }

 private:
  static Result outcome_of(const Waiting& waiting) {
    if (runtime::must_stop(waiting.self)) runtime::stop_for_good(waiting.self);
    if (waiting.failure != nullptr) std::rethrow_exception(waiting.failure);
    return waiting.outcome == Outcome::served ? Result::done : Result::shut_down;
  }
};

QueueBase::QueueBase(std::size_t limit) : limit_(limit), core_(std::make_unique<Core>()) {}

QueueBase::~QueueBase() = default;

// --- put and get ---------------------------------------------------------------------------------

// What a put or get comes to at once; nothing if it has to wait, and then `waiting`, if there is
// one, is in its line.
std::optional<QueueBase::Result> QueueBase::Core::put(QueueBase& queue, void* item,
                                                      Waiting* waiting) {
  ToWake to_wake;
  const GuardHolder held(guard);
  if (is_shut_down) return Result::shut_down;
  if (!getters.is_empty()) {
    Waiting& getter = getters.take_first(Outcome::served);
    queue.hand_over(item, getter.item);
    to_wake.add(getter);
  } else if (queue.size() < queue.limit_) {
    queue.push(item);
  } else {
    if (waiting != nullptr) putters.append(*waiting);
    return std::nullopt;
  }
  ++unfinished;
  return Result::done;
}

std::optional<QueueBase::Result> QueueBase::Core::get(QueueBase& queue, void* place,
                                                      Waiting* waiting) {
  ToWake to_wake;
  const GuardHolder held(guard);
  if (queue.size() == 0) {
    if (is_shut_down) return Result::shut_down;
    if (waiting != nullptr) getters.append(*waiting);
    return std::nullopt;
  }
  queue.pop(place);
  if (!putters.is_empty()) admit_putter(queue, to_wake);
  return Result::done;
}

// There is room again: the longest waiting putter's item comes in.
void QueueBase::Core::admit_putter(QueueBase& queue, ToWake& to_wake) noexcept {
  Waiting& putter = putters.take_first(Outcome::served);
  try {
    queue.push(putter.item);
    ++unfinished;
  } catch (...) {
    // No memory for it: that is the putter's to know.
    putter.failure = std::current_exception();
  }
  to_wake.add(putter);
}

QueueBase::Result QueueBase::put_item(void* item, Deadline deadline) {
  Self& self = runtime::self();
  const platform::Operation operation("Queue.put", this);
  if (const auto result = core_->put(*this, item, nullptr)) return *result;
  if (deadline <= platform::now()) return Result::not_in_time;
  Waiting waiting(self, WaitKind::queue_full, this, item);
  if (const auto result = core_->put(*this, item, &waiting)) return *result;
  return core_->wait(core_->putters, waiting, deadline);
}

QueueBase::Result QueueBase::get_item(void* place, Deadline deadline) {
  Self& self = runtime::self();
  const platform::Operation operation("Queue.get", this);
  if (const auto result = core_->get(*this, place, nullptr)) return *result;
  if (deadline <= platform::now()) return Result::not_in_time;
  Waiting waiting(self, WaitKind::queue_empty, this, place);
  if (const auto result = core_->get(*this, place, &waiting)) return *result;
  return core_->wait(core_->getters, waiting, deadline);
}

// --- tasks and the end ---------------------------------------------------------------------------

void QueueBase::finish_task() {
  const platform::Operation operation("Queue.task_done", this);
  ToWake to_wake;
  const GuardHolder held(core_->guard);
  if (core_->unfinished == 0) {
    throw ValueError("task_done() called more often than items were put into " + described());
  }
  if (--core_->unfinished == 0) to_wake.add_all(core_->joiners, Outcome::served);
}

void QueueBase::join_tasks() {
  Self& self = runtime::self();
  runtime::check_interrupt(self);
  const platform::Operation operation("Queue.join", this, has_no_tasks);
  Waiting waiting(self, WaitKind::queue_join, this, nullptr);
  {
    const GuardHolder held(core_->guard);
    if (core_->unfinished == 0) return;
    core_->joiners.append(waiting);
  }
  core_->wait(core_->joiners, waiting, platform::never);
}

bool QueueBase::has_no_tasks(const void* queue) noexcept {
  return static_cast<const QueueBase*>(queue)->core_->unfinished == 0 || runtime::is_interrupted();
}

void QueueBase::shut_down(void* store) {
  const platform::Operation operation("Queue.shutdown", this);
  ToWake to_wake;
  const GuardHolder held(core_->guard);
  core_->is_shut_down = true;
  if (store != nullptr) {
    const std::size_t dropped = size();
    exchange_store(store);
    core_->unfinished -= std::min(core_->unfinished, dropped);
    // As in Python, whether or not tasks are still under way.
    to_wake.add_all(core_->joiners, Outcome::served);
  }
  to_wake.add_all(core_->getters, Outcome::refused);
  to_wake.add_all(core_->putters, Outcome::refused);
}

bool QueueBase::is_shut_down() const noexcept {
  const platform::Operation operation("Queue.is_shutdown", this, platform::Access::read);
  const GuardHolder held(core_->guard);
  return operation.saw(core_->is_shut_down);
}

std::size_t QueueBase::qsize() const {
  const platform::Operation operation("Queue.qsize", this, platform::Access::read);
  const GuardHolder held(core_->guard);
  return operation.saw(size());
}

bool QueueBase::full() const {
  const platform::Operation operation("Queue.full", this, platform::Access::read);
  const GuardHolder held(core_->guard);
  return operation.saw(size() >= limit_);
}

// --- errors --------------------------------------------------------------------------------------

QueueBase::Deadline QueueBase::deadline_of(bool block, Timeout timeout) {
  if (!block) return 0;
  if (timeout.is_negative()) throw ValueError("'timeout' must be a non-negative number");
  return timeout.deadline();
}

std::string QueueBase::described() const {
  return runtime::describe("Queue", this);
}

void QueueBase::throw_full() const {
  throw Full(described() + " is full: it holds its maxsize of " + std::to_string(limit_) +
             " items (in " + runtime::describe_calling_thread() + ")");
}

void QueueBase::throw_empty() const {
  throw Empty(described() + " is empty (in " + runtime::describe_calling_thread() + ")");
}

void QueueBase::throw_shut_down() const {
  throw ShutDown(described() + " was shut down (in " + runtime::describe_calling_thread() + ")");
}

}  // namespace tutti::inline TUTTI_ABI::queue
