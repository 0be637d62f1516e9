// How a child ends, seen from its parent, who waits for it, signals it and reaps it.
#include <cerrno>
#include <chrono>

#include "multiprocessing/children.h"
#include "multiprocessing/errors.h"
#include "multiprocessing/fork_server.h"
#include "multiprocessing/process_control.h"
#include "platform/process.h"
#include "platform/stream.h"
#include "runtime/descriptor_wait.h"
#include "runtime/life.h"
#include "runtime/registry.h"
#include "runtime/wait_graph.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using platform::Descriptor;
using runtime::GuardHolder;

// Asked by the waiting thread itself, which keeps the control.
[[maybe_unused]] const bool tells_of_ends = [] {
  runtime::set_holder_finder(
      runtime::WaitKind::process,
      [](runtime::ThreadId /*waiting*/, const runtime::WaitRecord& record) noexcept {
        return reinterpret_cast<const ProcessControl*>(record.object)->only_thread();
      });
  return true;
}();

}  // namespace

bool ProcessControl::look_for_end() noexcept {
  Found found = find_end();
  if (found == Found::ended_untold) {
    // The server is about to tell the code; or it can't, because somebody has stopped it.
    constexpr std::int64_t time_to_tell = 1'000'000'000;
    platform::wait_until_readable(status_.ours.get(), platform::now() + time_to_tell);
    found = find_end();
  }
  return found == Found::ended;
}

ProcessControl::Found ProcessControl::find_end() noexcept {
  // The list's handle may be the last.
  const std::shared_ptr<ProcessControl> keep = shared_from_this();
  const GuardHolder held(children::guard());
  const Stage stage = stage_.load(platform::relaxed);
  if (stage == Stage::ended) return Found::ended;
  if (stage != Stage::running || is_anothers()) return Found::running;
  int code = unknown_exit_code;
  if (status_.ours) {
    const fork_server::Status status = fork_server::read_status(status_.ours);
    if (status.has_ended) {
      code = status.code;
    } else {
      const bool has_ended = platform::wait_until_readable(handle_->get(), 0);
      if (!has_ended) return Found::running;
      if (!status.is_lost) return Found::ended_untold;
    }
  } else {
    const platform::Reaped reaped = platform::reap(*handle_);
    if (!reaped.has_ended) return Found::running;
    if (reaped.is_code_known) code = reaped.code;
  }
  exit_code_.store(code, platform::relaxed);
  life_line_ = {};
  children::remove(*this);
  // release: whoever sees the end sees the code.
  stage_.store(Stage::ended, platform::release);
  return Found::ended;
}

bool ProcessControl::join(std::int64_t deadline) {
  check_open();
  const Stage stage = stage_.load(platform::acquire);
  if (stage == Stage::current || is_anothers()) {
    throw RuntimeError("cannot join " + described(name()) + ": it is not a child of this process");
  }
  if (stage == Stage::made || stage == Stage::starting) {
    throw RuntimeError("cannot join " + described(name()) + " before it is started");
  }
  if (stage == Stage::parent) return wait_for_end(sentinel(), deadline);
  while (!look_for_end()) {
    const std::shared_ptr<Descriptor> handle = this->handle();
    if (!wait_for_end(handle->get(), deadline)) return look_for_end();
    // It has ended. A debugger that has it in its hands may come before its parent.
    if (!look_for_end()) sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

bool ProcessControl::wait_for_end(int descriptor, std::int64_t deadline) {
  if (deadline <= platform::now()) return platform::wait_until_readable(descriptor, 0);
  runtime::Self& self = runtime::self();
  platform::Watched watched{descriptor, platform::can_read, 0};
  const runtime::DescriptorWait wait = runtime::wait_for_descriptors(
      self, {&watched, 1}, deadline, runtime::Reason(runtime::WaitKind::process, this));
  if (wait.error != 0) throw_os_error("cannot wait for " + described(name()), wait.error);
  runtime::stop_or_throw(self, wait.ended);
  return wait.ended == runtime::Ended::woken;
}

// As long as the only thread waits nobody can start another one.
runtime::ThreadId ProcessControl::only_thread() const noexcept {
  const std::uint32_t process = process_.load(platform::relaxed);
  if (!is_running() || !platform::has_one_thread(process)) return 0;
  for (std::uint32_t number = 1; number <= runtime::last_slot(); ++number) {
    const runtime::Slot& slot = runtime::slot_at(number);
    const runtime::ThreadId id = runtime::id_of(slot);
    const bool is_its_own = slot.process.load(platform::acquire) == process;
    if (is_its_own && !runtime::is_dead(id)) return id;
  }
  return 0;
}

bool ProcessControl::is_alive() {
  check_open();
  switch (stage_.load(platform::acquire)) {
    case Stage::made:
    case Stage::starting:
      return false;
    case Stage::current:
      return true;
    case Stage::parent:
      return !platform::wait_until_readable(sentinel(), 0);
    default:
      if (is_anothers()) {
        throw RuntimeError("cannot tell whether " + described(name()) +
                           " is alive: it is not a child of this process");
      }
      return !look_for_end();
  }
}

void ProcessControl::signal(int number, const char* what) {
  check_open();
  const Stage stage = stage_.load(platform::acquire);
  const std::string start = "cannot " + std::string(what) + " " + described(name());
  if (stage == Stage::current || stage == Stage::parent || is_anothers()) {
    throw RuntimeError(start + ": it is not a child of this process");
  }
  if (stage == Stage::made || stage == Stage::starting) {
    throw RuntimeError(start + " before it is started");
  }
  if (stage == Stage::ended) return;
  const int error = platform::send_signal(*handle(), number);
  if (error != 0 && error != ESRCH) throw_os_error(start, error);
}

void ProcessControl::signal_if_running(int number) noexcept {
  const GuardHolder held(children::guard());
  if (stage_.load(platform::relaxed) == Stage::running) platform::send_signal(*handle_, number);
}

void ProcessControl::close() {
  const Stage stage = stage_.load(platform::acquire);
  const bool is_running = stage == Stage::current || stage == Stage::starting ||
                          (stage == Stage::running && !is_anothers() && !look_for_end());
  if (is_running) {
    throw ValueError("cannot close " + described(name()) +
                     " while it is still running: call join() or terminate() first");
  }
  is_closed_.store(true, platform::release);
  const GuardHolder held(children::guard());
  handle_.reset();
  status_ = {};
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
