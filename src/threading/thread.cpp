#include "tutti/threading/thread.h"

#include <utility>

#include "threading/errors.h"
#include "threading/roster.h"
#include "threading/settings.h"
#include "threading/thread_control.h"

namespace tutti::inline TUTTI_ABI::threading {

Thread::Thread() : Thread(ThreadOptions{}) {}

Thread::Thread(ThreadOptions options) {
  if (options.group != nullptr) throw_bad_value("group argument must be null for now");
  const bool is_daemon = options.daemon ? *options.daemon : ThreadControl::current()->is_daemon();
  control_ = std::make_shared<ThreadControl>(std::move(options), is_daemon);
}

Thread::Thread(std::shared_ptr<ThreadControl> control) noexcept : control_(std::move(control)) {}

// Handles share the control; what enable_shared_from_this keeps stays with each object.
Thread::Thread(const Thread& other) noexcept
    : std::enable_shared_from_this<Thread>(), control_(other.control_) {}

Thread& Thread::operator=(const Thread& other) noexcept {
  if (this == &other) return *this;
  if (control_ != nullptr) control_->wait_for_run_of(*this);
  control_ = other.control_;
  return *this;
}

Thread::~Thread() {
  if (control_ != nullptr) control_->wait_for_run_of(*this);
}

void Thread::start() {
  control_->start(*this);
}
void Thread::run() {
  control_->run_target();
}
void Thread::join(Timeout timeout) {
  runtime::self();  // The gate comes first: after the end, a daemon's handle may be gone.
  control_->join(timeout.deadline());
}
bool Thread::is_alive() const noexcept {
  const platform::ThreadOperation operation("Thread.is_alive", control_.get(),
                                            platform::Access::read);
  return operation.saw(control_->is_alive());
}
std::string Thread::name() const {
  return control_->name();
}
void Thread::set_name(std::string name) {
  control_->set_name(std::move(name));
}
std::optional<std::uint32_t> Thread::native_id() const {
  return control_->native_id();
}
bool Thread::daemon() const noexcept {
  return control_->is_daemon();
}
void Thread::set_daemon(bool daemon) {
  control_->set_daemon(daemon);
}
ThreadState Thread::state() const {
  const platform::ThreadOperation operation("Thread.state", control_.get(),
                                            platform::Access::everything);
  return control_->state();
}
std::string Thread::to_string() const {
  return control_->to_string();
}

std::optional<std::uint64_t> Thread::ident() const noexcept {
  const runtime::ThreadId id = control_->id();
  return id == 0 ? std::nullopt : std::optional<std::uint64_t>(id);
}

Thread current_thread() {
  return ThreadControl::handle_of(ThreadControl::current());
}

Thread main_thread() {
  ThreadControl::current();  // So that the main thread is known, if it is the caller.
  std::shared_ptr<ThreadControl> control = roster::main_thread();
  if (control == nullptr) throw RuntimeError("the main thread has not used tutti yet");
  return ThreadControl::handle_of(std::move(control));
}

std::vector<Thread> enumerate() {
  ThreadControl::current();  // So that the caller is in it.
  const platform::ThreadOperation operation("enumerate", nullptr, platform::Access::everything);
  std::vector<Thread> threads;
  for (std::shared_ptr<ThreadControl>& control : roster::living()) {
    threads.push_back(ThreadControl::handle_of(std::move(control)));
  }
  return threads;
}

std::size_t active_count() {
  return enumerate().size();
}
std::uint64_t get_ident() {
  return runtime::self().id;
}
std::uint32_t get_native_id() {
  return platform::thread_id();
}
std::size_t stack_size() {
  return settings::stack_size();
}
std::size_t stack_size(std::size_t bytes) {
  return settings::set_stack_size(bytes);
}

}  // namespace tutti::inline TUTTI_ABI::threading
