#include "threading/thread_control.h"

#include <array>
#include <exception>
#include <string>
#include <utility>

#include "runtime/shutdown.h"
#include "runtime/trace.h"
#include "runtime/waiting.h"
#include "threading/errors.h"
#include "threading/overrider.h"
#include "threading/report_exception.h"
#include "threading/report_state.h"
#include "threading/roster.h"
#include "threading/settings.h"

namespace tutti::inline TUTTI_ABI::threading {

namespace {

constinit platform::atomic<std::uint64_t> names_given{0};
[[maybe_unused]] const bool names_restart =
    (platform::on_restart([] { names_given.store(0, platform::relaxed); }), true);

std::string next_name() {
  return "Thread-" + std::to_string(names_given.fetch_add(1, platform::relaxed) + 1);
}

using RunFunction = void (*)(Thread*);

}  // namespace

ThreadControl::ThreadControl(ThreadOptions options, bool is_daemon)
    : origin_(Origin::started_by_us),
      stage_(Stage::made),
      is_daemon_(is_daemon),
      name_(options.name.empty() ? next_name() : std::move(options.name)),
      target_(std::move(options.target)) {}

ThreadControl::ThreadControl(Origin origin, const runtime::Self& self)
    : origin_(origin),
      stage_(Stage::running),
      is_daemon_(origin == Origin::foreign),
      id_(self.id),
      native_id_(self.slot->thread.load(platform::relaxed)),
      name_(self.slot->name.get()) {
  process_.store(platform::process_id(), platform::relaxed);
  born_.set();
}

ThreadControl::~ThreadControl() {
  if (is_of_another_process()) return;
  if (kernel_state_.load(platform::acquire) == KernelThread::joinable)
    platform::detach(kernel_thread_);
}

std::shared_ptr<ThreadControl> ThreadControl::current() {
  return roster::attached_to(runtime::self());
}

// --- Start and end -------------------------------------------------------------------------------

void ThreadControl::start(Thread& object) {
  // The new thread may end, and destroy the last handle, before this function is done.
  const std::shared_ptr<ThreadControl> keep = shared_from_this();
  const platform::ThreadOperation operation("Thread.start", this);
  Stage made = Stage::made;
  if (!stage_.compare_exchange_strong(made, Stage::started, platform::acq_rel)) {
    throw RuntimeError("thread '" + name() +
                       "' was started before: threads can only be started once");
  }
  try {
    if (runtime::is_ending()) {
      throw RuntimeError("can't start new thread '" + name() + "': the program is ending");
    }
    choose_run(object);
    start_kernel_thread();
  } catch (...) {
    object_.store(nullptr, platform::relaxed);
    keeps_object_.reset();
    process_.store(0, platform::relaxed);
    id_.store(0, platform::release);
    stage_.store(Stage::made, platform::release);
    throw;
  }
}

void ThreadControl::choose_run(Thread& object) {
  static const RunFunction base_run = [] {
    Thread plain = handle_of(nullptr);
    return overrider_of_run(plain);
  }();
  // By the starter, while the object is certainly whole, and not by the new thread, which may come
  // when it is being destroyed.
  run_ = overrider_of_run(object);
  if (run_ == base_run) {
    run_ = nullptr;  // The target is in this control; the object need not outlive the start.
  } else {
    object_.store(&object, platform::release);
    keeps_object_ = object.weak_from_this().lock();
  }
}

void ThreadControl::start_kernel_thread() {
  static const bool ends_in_order = (runtime::end_before_statics_made_so_far(), true);
  (void)ends_in_order;
  std::unique_ptr<runtime::Self> self = runtime::prepare_thread(is_daemon(), name());
  try {
    self->thread = roster::attachment(shared_from_this());
    if (!roster::add(*this)) {
      throw RuntimeError("can't start new thread '" + name() + "': the program is ending");
    }
  } catch (...) {
    roster::detach(*self);
    runtime::abandon_thread(std::move(self));
    throw;
  }
  process_.store(platform::process_id(), platform::relaxed);
  id_.store(self->id, platform::release);
  const platform::Started started = platform::start(enter, self.get(), settings::stack_size());
  if (started.error != 0) {
    // What the attachment does at the end of a thread must not happen to this one.
    roster::detach(*self);
    runtime::abandon_thread(std::move(self));
    throw RuntimeError("can't start new thread '" + name() +
                       "': " + platform::describe_start_error(started.error));
  }
  self.release();  // The new thread's now.
  kernel_thread_ = started.thread;
  // release: pairs with the acquire in reap(), which reads kernel_thread_.
  kernel_state_.store(KernelThread::joinable, platform::release);
}

void* ThreadControl::enter(void* prepared) {
  std::unique_ptr<runtime::Self> self(static_cast<runtime::Self*>(prepared));
  ThreadControl& control = *roster::attached_to(*self);
  runtime::enter(std::move(self));
  control.live();
  return nullptr;
}

void ThreadControl::live() {
  native_id_.store(runtime::self().slot->thread.load(platform::relaxed), platform::relaxed);
  stage_.store(Stage::running, platform::release);
  born_.set();
  show_name();
  const auto work = [](void* self) {
    auto* control = static_cast<ThreadControl*>(self);
    if (control->run_ != nullptr) {
      control->run_(control->object_.load(platform::relaxed));
    } else {
      control->run_target();
    }
  };
  const auto on_exception = [](void* self) {
    static_cast<ThreadControl*>(self)->end_with_exception();
  };
  const auto on_cancel = [](void* self) { static_cast<ThreadControl*>(self)->finish(); };
  platform::run_guarded(work, on_exception, on_cancel, this);
  // Destroyed after the operation, for its destructor may do others.
  std::shared_ptr<Thread> object;
  const platform::ThreadOperation operation("Thread.end", this);
  object = finish();
}

// To the system, which shows no more of it than this. Nobody could catch what a copy on the heap
// throws when memory is out.
void ThreadControl::show_name() const noexcept {
  std::array<char, 16> start{};
  {
    const runtime::GuardHolder held(runtime::leaf_guard);
    name_.copy(start.data(), start.size() - 1);
  }
  platform::name_thread(start.data());
}

void ThreadControl::run_target() {
  if (!target_) return;
  // The target's arguments are destroyed when it returns, not when the last handle goes.
  Target target = std::move(target_);
  target();
}

void ThreadControl::end_with_exception() noexcept {
  try {
    throw;
  } catch (const thread::SystemExit&) {
    // How a thread ends itself.
  } catch (...) {
    report_exception(std::current_exception(), handle_of(shared_from_this()));
  }
}

std::shared_ptr<Thread> ThreadControl::finish() noexcept {
  if (stage_.exchange(Stage::finished, platform::acq_rel) == Stage::finished) return nullptr;
  object_.store(nullptr, platform::release);
  std::shared_ptr<Thread> object = std::move(keeps_object_);
  finished_.set();
  // It may be destroyed by the caller, and with it the last handle: the attachment keeps us.
  return object;
}

bool ThreadControl::join(std::int64_t deadline) {
  if (!is_started()) {
    throw RuntimeError("cannot join thread '" + name() + "' before it is started");
  }
  if (current().get() == this) {
    throw DeadlockError("cannot join current thread '" + name() +
                        "': it would wait for itself for ever");
  }
  if (is_of_another_process()) return true;
  const platform::ThreadOperation operation("Thread.join", this,
                                            deadline == platform::never ? has_ended : nullptr);
  runtime::trace::Wait traced;
  if (!ended_.is_set()) traced.begin(runtime::WaitKind::join, this, id());
  if (!ended_.wait(runtime::WaitKind::join, this, deadline)) return false;
  reap();
  return true;
}

bool ThreadControl::has_ended(const void* control) noexcept {
  return static_cast<const ThreadControl*>(control)->ended_.is_set() || runtime::is_interrupted();
}

void ThreadControl::reap() {
  if (origin_ != Origin::started_by_us) return;
  if (kernel_state_.load(platform::acquire) == KernelThread::parked) return;
  // The starter may be between making the kernel thread and writing it down.
  while (kernel_state_.load(platform::acquire) == KernelThread::none) platform::yield();
  KernelThread joinable = KernelThread::joinable;
  if (kernel_state_.compare_exchange_strong(joinable, KernelThread::being_joined,
                                            platform::acq_rel)) {
    // It has only its last instructions before it. Sleeping until it has executed them would take
    // longer, so let it come first, if it is on this core, or pass the time.
    constexpr int tries = platform::can_spin ? 50 : 0;
    bool is_joined = false;
    for (int i = 0; i < tries && !is_joined; ++i) {
      is_joined = platform::try_join(kernel_thread_);
      if (!is_joined) platform::yield();
    }
    if (!is_joined) platform::join(kernel_thread_);
    kernel_state_.store(KernelThread::joined, platform::release);
    reaped_.set();
  } else {
    reaped_.wait_unconditionally(runtime::WaitKind::join, this);
  }
}

void ThreadControl::wait_for_run_of(const Thread& object) {
  if (object_.load(platform::acquire) != &object || is_daemon()) return;
  if (is_of_another_process()) return;
  if (runtime::Self* self = runtime::registered_self(); self != nullptr && self->id == id()) return;
  finished_.wait_unconditionally(runtime::WaitKind::join, this);
}

void ThreadControl::stop() noexcept {
  kernel_state_.store(KernelThread::parked, platform::release);
  finish();
  release_joiners();
}

// --- fork ----------------------------------------------------------------------------------------

void ThreadControl::vanish() noexcept {
  kernel_state_.store(KernelThread::joined, platform::relaxed);
  reaped_.set();
  stage_.store(Stage::finished, platform::release);
  finished_.set();
  ended_.set();
  next = previous = nullptr;
}

void ThreadControl::survive_fork(const runtime::Self& self) noexcept {
  id_.store(self.id, platform::relaxed);
  process_.store(platform::process_id(), platform::relaxed);
  native_id_.store(self.slot->thread.load(platform::relaxed), platform::relaxed);
  is_daemon_.store(false, platform::relaxed);
  kernel_state_.store(KernelThread::joined, platform::relaxed);
  reaped_.set();
}

// --- Questions -----------------------------------------------------------------------------------

bool ThreadControl::is_started() const noexcept {
  return stage_.load(platform::acquire) != Stage::made;
}

bool ThreadControl::is_alive() const noexcept {
  return is_started() && !is_finished();
}

bool ThreadControl::is_finished() const noexcept {
  return stage_.load(platform::acquire) == Stage::finished || is_of_another_process();
}

bool ThreadControl::is_of_another_process() const noexcept {
  const std::uint32_t process = process_.load(platform::relaxed);
  return process != 0 && process != platform::process_id();
}

bool ThreadControl::holds_up_the_end() const noexcept {
  return origin_ == Origin::started_by_us && !is_daemon() &&
         kernel_state_.load(platform::acquire) < KernelThread::joined;
}

void ThreadControl::set_daemon(bool daemon) {
  if (is_started()) {
    throw RuntimeError("cannot set daemon status of thread '" + name() + "': it is started");
  }
  is_daemon_.store(daemon, platform::relaxed);
}

std::string ThreadControl::name() const {
  const runtime::GuardHolder held(runtime::leaf_guard);
  return name_;
}

void ThreadControl::set_name(std::string name) {
  runtime::Self* self = runtime::registered_self();
  if (is_alive() && id() != 0) runtime::slot_at(runtime::slot_number(id())).name.set(name);
  if (self != nullptr && self->id == id()) platform::name_thread(name.c_str());
  const runtime::GuardHolder held(runtime::leaf_guard);
  name_.swap(name);
}

std::optional<std::uint32_t> ThreadControl::native_id() {
  if (!is_started()) return std::nullopt;
  born_.wait_unconditionally(runtime::WaitKind::join, this);
  return native_id_.load(platform::relaxed);
}

ThreadState ThreadControl::state() const {
  if (!is_started()) return {Phase::new_thread, {}};
  if (is_finished()) return {Phase::dead, {}};
  const runtime::Slot& slot = runtime::slot_at(runtime::slot_number(id()));
  const ThreadState state = state_of(slot);
  // It may have ended while we looked, and the slot be another's by now.
  const bool is_its_own = runtime::id_of(slot) == id() && !is_finished();
  return is_its_own ? state : ThreadState{Phase::dead, {}};
}

std::string ThreadControl::to_string() const {
  std::string text = "<Thread(" + name() + ", ";
  text += !is_started() ? "initial" : is_finished() ? "stopped" : "started";
  if (is_daemon()) text += " daemon";
  if (id() != 0) text += " " + std::to_string(id());
  return text + ")>";
}

}  // namespace tutti::inline TUTTI_ABI::threading
