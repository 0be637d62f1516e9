#include "tutti/futures/shared_state.h"

#include <utility>

#include "futures/worker.h"
#include "runtime/describe.h"
#include "runtime/wait_graph.h"
#include "runtime/waiting.h"
#include "sync/parking_lot.h"
#include "threading/report_exception.h"
#include "tutti/errors.h"
#include "tutti/futures/future.h"
#include "tutti/threading/thread.h"

namespace tutti::inline TUTTI_ABI::futures {

namespace {

using runtime::Ended;
using runtime::Interrupts;
using runtime::WaitKind;

// A thread that waits for one future; lies on its stack.
class Waiting final : public Listener {
 public:
  Waiting(runtime::Self& self, SharedState& state) noexcept
      : Listener(Kind::waiting_thread),
        self_(self),
        state_(state),
        reason_(WaitKind::future, &state) {
    runtime::prepare_to_wait(self);
  }
  void notify(SharedState& /*state*/) noexcept override { runtime::wake(*self_.slot); }

  Ended wait(std::int64_t deadline, Interrupts interrupts) noexcept {
    if (!state_.listen(*this)) return Ended::woken;
    return runtime::wait_or_leave(
        self_, reason_, deadline, [this](Ended) noexcept { return state_.unlisten(*this); },
        interrupts);
  }

 private:
  runtime::Self& self_;
  SharedState& state_;
  runtime::Reason reason_;
};

class BucketHolder {
 public:
  explicit BucketHolder(const SharedState& state) noexcept : bucket_(sync::bucket_of(&state)) {
    bucket_.lock();
  }
  ~BucketHolder() { bucket_.unlock(); }
  BucketHolder(const BucketHolder&) = delete;
  BucketHolder& operator=(const BucketHolder&) = delete;

 private:
  sync::Bucket& bucket_;
};

// Who runs the call whose result a thread waits for. Threads are told with the guard held, and take
// themselves out of the list with it: one whose record, read under it, says that it waits for the
// state does so until the guard is released, and keeps it alive.
runtime::ThreadId runner_of_call(runtime::ThreadId waiting,
                                 const runtime::WaitRecord& record) noexcept {
  const auto* state = reinterpret_cast<const SharedState*>(record.object);
  sync::Bucket& bucket = sync::bucket_of(state);
  bucket.lock();
  const runtime::WaitRecord now =
      runtime::read_record(runtime::slot_at(runtime::slot_number(waiting)));
  const bool waits = now.stamp == record.stamp && !now.woken;
  const runtime::ThreadId runner = waits ? state->runner() : 0;
  bucket.unlock();
  return runner;
}

[[maybe_unused]] const bool prepared =
    (runtime::set_holder_finder(WaitKind::future, runner_of_call), true);

bool is_running(const SharedState& state) noexcept {
  for (const Running* frame = running; frame != nullptr; frame = frame->outer) {
    if (&frame->task == &state) return true;
  }
  return false;
}

}  // namespace

thread_local const Running* running = nullptr;
thread_local Worker* current_worker = nullptr;

SharedState::~SharedState() {
  // Nobody can fulfil it any more, so callbacks that are left are never called.
  while (last_ != nullptr) {
    Listener* first = last_->next_;
    if (first == last_) {
      last_ = nullptr;
    } else {
      last_->next_ = first->next_;
    }
    delete first;
  }
}

void SharedState::call() {}

std::string SharedState::described() const {
  return runtime::describe(WaitKind::future, this);
}

// --- from one phase to the next ------------------------------------------------------------------

bool SharedState::cancel() noexcept {
  std::uint32_t word;
  {
    const platform::Operation operation("Future.cancel", this);
    word = word_.load(platform::acquire);
    do {
      if (phase_of(word) == Phase::cancelled) return true;
      if (phase_of(word) != Phase::pending) return operation.saw(false);
    } while (!word_.compare_exchange_weak(word, with_phase(word, Phase::cancelled),
                                          platform::acq_rel, platform::acquire));
  }
  if ((word & listened_bit) != 0) notify_listeners();
  return true;
}

bool SharedState::claim() noexcept {
  std::uint32_t word = word_.load(platform::relaxed);
  do {
    if (phase_of(word) != Phase::pending) return false;
  } while (!word_.compare_exchange_weak(word, with_phase(word, Phase::running), platform::acq_rel,
                                        platform::relaxed));
  return true;
}

bool SharedState::claim_or_notify_cancel() {
  const platform::Operation operation("Future.set_running_or_notify_cancel", this);
  if (pool_ == nullptr && claim()) return true;
  if (phase() == Phase::cancelled &&
      (word_.fetch_or(notified_bit, platform::acq_rel) & notified_bit) == 0) {
    return false;
  }
  throw RuntimeError(described() +
                     " is not to be run by the caller: that was begun before, or is " +
                     "an executor's affair" + runtime::in_calling_thread());
}

SharedState::Phase SharedState::begin_setting() {
  const platform::Operation operation("Future.set", this);
  const auto refuse = [this](const char* why) {
    throw InvalidStateError(described() + why + runtime::in_calling_thread());
  };
  if (pool_ != nullptr) refuse(" is that of a call, which alone sets it");
  std::uint32_t word = word_.load(platform::acquire);
  do {
    if (phase_of(word) == Phase::cancelled) refuse(" was cancelled");
    if (phase_of(word) == Phase::finished) refuse(" has been set before");
    if (phase_of(word) == Phase::setting) refuse(" is being set by another thread");
  } while (!word_.compare_exchange_weak(word, with_phase(word, Phase::setting), platform::acq_rel,
                                        platform::acquire));
  return phase_of(word);
}

// In the phases running and setting nobody else changes the phase, so that adding the difference
// leaves the other bits as they are.
void SharedState::abandon_setting(Phase before) noexcept {
  word_.fetch_sub(static_cast<std::uint32_t>(Phase::setting) - static_cast<std::uint32_t>(before),
                  platform::release);
}

void SharedState::finish(std::exception_ptr exception) noexcept {
  exception_ = std::move(exception);
  std::uint32_t word;
  {
    const platform::Operation operation("Future.finish", this);
    const Phase before = phase_of(word_.load(platform::relaxed));
    word = word_.fetch_add(
        static_cast<std::uint32_t>(Phase::finished) - static_cast<std::uint32_t>(before),
        platform::acq_rel);
  }
  if ((word & listened_bit) != 0) notify_listeners();
}

void SharedState::run() noexcept {
  runner_.store(runtime::registered_self()->id, platform::relaxed);
  const Running frame{*this, running};
  running = &frame;
  platform::run_guarded(
      [](void* state) {
        static_cast<SharedState*>(state)->call();
        static_cast<SharedState*>(state)->finish();
      },
      [](void* state) { static_cast<SharedState*>(state)->finish(std::current_exception()); },
      refuse_thread_exit, this);
  running = frame.outer;
}

// --- who listens ---------------------------------------------------------------------------------

bool SharedState::listen(Listener& listener) noexcept {
  const platform::Operation operation("Future.listen", this);
  const BucketHolder held(*this);
  std::uint32_t word = word_.load(platform::acquire);
  do {
    if (is_done(word)) return false;
  } while (!word_.compare_exchange_weak(word, word | listened_bit, platform::acq_rel,
                                        platform::acquire));
  if (last_ == nullptr) {
    listener.next_ = &listener;
  } else {
    listener.next_ = last_->next_;
    last_->next_ = &listener;
  }
  last_ = &listener;
  return true;
}

bool SharedState::unlisten(Listener& listener) noexcept {
  const platform::Operation operation("Future.listen", this);
  const BucketHolder held(*this);
  if (last_ == nullptr) return false;
  Listener* before = last_;
  do {
    if (before->next_ == &listener) {
      before->next_ = listener.next_;
      if (last_ == &listener) last_ = before == &listener ? nullptr : before;
      return true;
    }
    before = before->next_;
  } while (before != last_);
  return false;
}

void SharedState::notify_listeners() noexcept {
  Listener* callbacks = nullptr;
  Listener** end = &callbacks;
  {
    const platform::Operation operation("Future.notify", this);
    const BucketHolder held(*this);
    if (last_ == nullptr) return;
    Listener* listener = last_->next_;
    last_->next_ = nullptr;
    last_ = nullptr;
    while (listener != nullptr) {
      // Once notified, a waiting thread's listener belongs to that thread again.
      Listener* const next = listener->next_;
      if (listener->kind_ == Listener::Kind::waiting_thread) {
        listener->notify(*this);
      } else {
        *end = listener;
        end = &listener->next_;
      }
      listener = next;
    }
    *end = nullptr;
  }
  if (callbacks == nullptr) return;
  // A callback may drop the handle through which this was called.
  retain();
  do {
    Listener* const next = callbacks->next_;
    callbacks->notify(*this);
    callbacks = next;
  } while (callbacks != nullptr);
  release();
}

void call_back(void (*function)(void*), void* argument) noexcept {
  platform::run_guarded(
      function,
      [](void*) {
        threading::report_exception(std::current_exception(), threading::current_thread());
      },
      refuse_thread_exit, argument);
}

void refuse_thread_exit(void* /*argument*/) {
  platform::print_error(
      "tutti: pthread_exit or pthread_cancel in a call or callback of a future, whose thread is "
      "not "
      "its own: the program can't go on\n");
}

// --- waiting -------------------------------------------------------------------------------------

bool SharedState::wait(std::int64_t deadline) {
  if (platform::current().pass != 0 && look() >= Phase::cancelled) return true;
  runtime::Self& self = runtime::self();
  if (look() >= Phase::cancelled) return true;  // For those whom the line above does not let pass.
  if (is_running(*this)) {
    throw DeadlockError(described() + ": the call waits for its own result" +
                        runtime::in_calling_thread());
  }
  if (pool_ != nullptr && process_ != platform::process_id()) {
    throw RuntimeError(described() +
                       " is that of a call in the process from which this one was forked: here it "
                       "will never be done" +
                       runtime::in_calling_thread());
  }
  // With a deadline the caller could be kept by the task for too long: better that a stand-in runs
  // it, if there is one to be had.
  if (deadline == platform::never && current_worker != nullptr &&
      current_worker->run_instead(*this)) {
    return true;
  }
  return wait_or_help(self, deadline, Interruption::throws);
}

void SharedState::wait_unconditionally() {
  wait_or_help(runtime::self(), platform::never, Interruption::waits);
}

bool SharedState::wait_or_help(runtime::Self& self, std::int64_t deadline,
                               Interruption interruption) {
  while (deadline > platform::now()) {
    {
      const StandIn stand_in;
      // Whoever fulfils this may depend on the pool's tasks, if it is one of them.
      if (!stand_in.is_missing() || pool_ == nullptr) return sleep(self, deadline, interruption);
    }
    if (current_worker->run_instead(*this)) return true;
    current_worker->help();
    if (look() >= Phase::cancelled) return true;
  }
  return look() >= Phase::cancelled;
}

bool SharedState::sleep(runtime::Self& self, std::int64_t deadline, Interruption interruption) {
  const platform::Operation operation("Future.result", this);
  if (is_done()) return true;
  const bool heeds = interruption == Interruption::throws;
  if (heeds) runtime::check_interrupt(self);
  const Ended ended =
      Waiting(self, *this).wait(deadline, heeds ? Interrupts::heeded : Interrupts::deferred);
  runtime::stop_or_throw(self, ended);
  return ended == Ended::woken;
}

const std::exception_ptr& SharedState::wait_for_outcome(std::int64_t deadline) {
  if (!wait(deadline)) {
    throw TimeoutError(described() + " is not done in time" + runtime::in_calling_thread());
  }
  if (phase() == Phase::cancelled) {
    throw CancelledError(described() + " was cancelled" + runtime::in_calling_thread());
  }
  return exception_;
}

}  // namespace tutti::inline TUTTI_ABI::futures
