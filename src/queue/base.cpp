#include "tutti/queue/base.h"

#include <optional>
#include <string>
#include <utility>

#include "queue/core.h"
#include "runtime/describe.h"
#include "runtime/names.h"
#include "runtime/trace.h"
#include "tutti/errors.h"
#include "tutti/runtime/remembered.h"

namespace tutti::inline TUTTI_ABI::queue {

namespace {

using runtime::Self;
using runtime::Spinning;
using runtime::WaitKind;

// A thread that has waited without a place in a line, and so often found that others were quicker,
// lines up.
constexpr int most_tries_out_of_line = 8;

bool is_over(std::int64_t deadline) noexcept {
  return deadline != platform::never && (deadline == 0 || deadline <= platform::now());
}

}  // namespace

QueueBase::QueueBase(std::size_t limit, Ends ends, std::string name)
    : limit_(limit), core_(std::make_unique<Core>(limit, ends)) {
  if (!name.empty()) set_name(std::move(name));
}

QueueBase::~QueueBase() {
  runtime::forget(this);
}

std::string QueueBase::name() const {
  return runtime::name_of(this);
}

void QueueBase::set_name(std::string name) {
  runtime::set_name(this, std::move(name));
}

// --- put and get ---------------------------------------------------------------------------------

// Under one guard, if that will do: at once, or after a spin.
template <typename Once>
QueueBase::Core::Attempt QueueBase::Core::attempt(Side& side, Deadline deadline, Once once) {
  Tried tried = once(deadline == 0 ? Look::at_once : Look::patient);
  if (deadline == 0) return {tried, Spinning::allowed};
  for (int tries = 0; tried == Tried::in_vain && tries < most_tries_out_of_line; ++tries) {
    if (!spin(side, deadline)) return {tried, Spinning::done};
    tried = once(Look::again);
  }
  return {tried, Spinning::allowed};
}

// `once` tries it under one guard, `attended` under both, with a place in the line if it may wait.
template <typename Once, typename Attended>
QueueBase::Result QueueBase::Core::operate(Self& self, const QueueBase& queue, Side& side,
                                           WaitKind kind, void* item, Deadline deadline, Once once,
                                           Attended attended) {
  runtime::trace::Wait traced;
  const auto [tried, spinning] = attempt(side, deadline, [&](Look look) {
    const Tried found = once(look);
    if (found == Tried::in_vain && deadline != 0) traced.begin(kind, &queue);
    return found;
  });
  if (tried == Tried::done) return Result::done;
  if (is_over(deadline)) {
    // With a deadline, a patient look may not have looked at all.
    if (deadline == 0 && tried == Tried::in_vain) return Result::not_in_time;
    return attended(nullptr).value_or(Result::not_in_time);
  }
  Waiting waiting(self, kind, &queue, item);
  if (const auto result = attended(&waiting)) return *result;
  return wait(side, waiting, deadline, spinning);
}

QueueBase::Result QueueBase::put_item(void* item, Deadline deadline) {
  Self& self = runtime::self();
  const platform::Operation operation("Queue.put", this);
  Core& core = *core_;
  return core.operate(
      self, *this, core.putters, WaitKind::queue_full, item, deadline,
      [&](Core::Look look) { return core.put(*this, item, look); },
      [&](Waiting* waiting) { return core.put_attended(*this, item, waiting); });
}

QueueBase::Result QueueBase::get_item(void* place, Deadline deadline) {
  Self& self = runtime::self();
  const platform::Operation operation("Queue.get", this);
  Core& core = *core_;
  return core.operate(
      self, *this, core.getters, WaitKind::queue_empty, place, deadline,
      [&](Core::Look look) { return core.get(*this, place, look); },
      [&](Waiting* waiting) { return core.get_attended(*this, place, waiting); });
}

std::size_t QueueBase::put_items(void* items, std::size_t size, std::size_t count) {
  runtime::self();  // Where daemons stop when the program ends.
  const platform::Operation operation("Queue.put_many", this);
  auto* const first = static_cast<std::byte*>(items);
  if (const auto put = core_->put_many(*this, first, size, count)) return *put;
  return core_->put_many_attended(*this, first, size, count);
}

std::size_t QueueBase::take_items(void* places, std::size_t most) {
  runtime::self();
  const platform::Operation operation("Queue.get_many", this);
  if (const auto taken = core_->get_many(*this, places, most)) return *taken;
  return core_->get_many_attended(*this, places, most);
}

void QueueBase::give_back(void* item) noexcept {
  const platform::Operation operation("Queue.get", this);
  core_->give_back(*this, item);
}

// --- tasks and the end ---------------------------------------------------------------------------

void QueueBase::finish_task() {
  const platform::Operation operation("Queue.task_done", this);
  if (!core_->tasks.finish_one()) {
    throw ValueError("task_done() called more often than items were put into " + described());
  }
}

void QueueBase::join_tasks() {
  Self& self = runtime::self();
  runtime::check_interrupt(self);
  const platform::Operation operation("Queue.join", this, has_no_tasks);
  core_->tasks.join(self, this);
}

bool QueueBase::has_no_tasks(const void* queue) noexcept {
  return static_cast<const QueueBase*>(queue)->core_->tasks.are_done() || runtime::is_interrupted();
}

void QueueBase::shut_down(void* content) {
  const platform::Operation operation("Queue.shutdown", this);
  core_->shut_down(*this, content);
}

bool QueueBase::is_shut_down() const noexcept {
  const platform::Operation operation("Queue.is_shutdown", this, platform::Access::read);
  return operation.saw((core_->putters.state.load(platform::acquire) & Side::shut_down) != 0);
}

std::size_t QueueBase::qsize() const noexcept {
  const platform::Operation operation("Queue.qsize", this, platform::Access::read);
  return operation.saw(core_->size());
}

bool QueueBase::full() const noexcept {
  const platform::Operation operation("Queue.full", this, platform::Access::read);
  return operation.saw(core_->size() >= limit_);
}

// --- errors --------------------------------------------------------------------------------------

QueueBase::Deadline QueueBase::deadline_of(bool block, Timeout timeout) {
  if (!block) return 0;
  if (timeout.is_negative()) throw ValueError("'timeout' must be a non-negative number");
  return timeout.deadline();
}

std::string QueueBase::described() const {
  return runtime::describe_quickly("Queue", this);
}

void QueueBase::throw_full() const {
  throw Full(described() + " is full: it holds its maxsize of " + std::to_string(limit_) +
             " items" + runtime::in_calling_thread());
}

void QueueBase::throw_empty() const {
  throw Empty(described() + " is empty" + runtime::in_calling_thread());
}

void QueueBase::throw_shut_down() const {
  throw ShutDown(described() + " was shut down" + runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::queue
