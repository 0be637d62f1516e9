// How a child begins: by fork, by spawn, or by the fork server.
#include <cerrno>
#include <utility>

#include "multiprocessing/child.h"
#include "multiprocessing/children.h"
#include "multiprocessing/errors.h"
#include "multiprocessing/fork_server.h"
#include "multiprocessing/process_control.h"
#include "multiprocessing/start_method.h"
#include "multiprocessing/told_process.h"
#include "platform/spawn.h"
#include "platform/stream.h"
#include "runtime/registry.h"
#include "runtime/shutdown.h"
#include "threading/overrider.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using platform::Descriptor;
using runtime::GuardHolder;

}  // namespace

void ProcessControl::start(Process& object) {
  // The last handle may go meanwhile.
  const std::shared_ptr<ProcessControl> keep = shared_from_this();
  check_open();
  if (creator_.load(platform::relaxed) != platform::process_id()) {
    throw RuntimeError("cannot start " + described(name()) +
                       ": it was made by another process, and would be a child of that");
  }
  if (current()->is_daemon()) {
    throw RuntimeError("cannot start " + described(name()) +
                       ": daemonic processes are not allowed to have children");
  }
  Stage made = Stage::made;
  if (!stage_.compare_exchange_strong(made, Stage::starting, platform::acq_rel)) {
    throw RuntimeError("cannot start " + described(name()) + ": a process can be started once");
  }
  try {
    if (runtime::is_ending()) {
      throw RuntimeError("cannot start " + described(name()) + ": the program is ending");
    }
    static const bool ends_in_order = (runtime::end_before_statics_made_so_far(), true);
    (void)ends_in_order;
    children::sweep_now_and_then();
    start_by(start_method_ ? *start_method_ : start_method_in_force(), object);
  } catch (...) {
    {
      const GuardHolder held(children::guard());
      children::remove(*this);
      handle_.reset();
      life_line_ = {};
      forking_ = nullptr;
      close_what_was_told();
      status_ = {};
    }
    stage_.store(Stage::made, platform::release);
    throw;
  }
  // The child has its own.
  target_ = Callable();
}

void ProcessControl::start_by(StartMethod method, Process& object) {
  switch (method) {
    case StartMethod::fork:
      return start_by_fork(object);
    case StartMethod::spawn:
      check_can_be_told(method, object);
      return start_by_spawn();
    case StartMethod::forkserver:
      check_can_be_told(method, object);
      return start_by_server();
  }
}

void ProcessControl::start_by_fork(Process& object) {
  const std::shared_ptr<Descriptor> handle = prepare_handle();
  flush_standard_streams();
  forking_ = &runtime::self();
  const platform::Forked forked = platform::fork_process();
  if (forked.error != 0) fail_to_start(forked.error);
  if (forked.process == 0) live_as_child(object);
  hold_child(forked.process, *handle);
}

// It sees nothing of this process but what it is told.
void ProcessControl::check_can_be_told(StartMethod method, Process& object) const {
  static const auto base_run = [] {
    Process plain(std::shared_ptr<ProcessControl>{});
    return threading::overrider_of_run(plain);
  }();
  const std::string start =
      "cannot start " + described(name()) + " by " + multiprocessing::to_string(method) + ": ";
  if (threading::overrider_of_run(object) != base_run) {
    throw TypeError(start +
                    "the members of a class that overrides run() can't cross between "
                    "processes; give a target, or use the start method fork");
  }
  if (target_ && target_.crossing() == nullptr) {
    throw TypeError(start + target_.obstacle() + "; use the start method fork");
  }
  if (!is_bootstrapped()) {
    throw RuntimeError(start +
                       "static objects of a process that is being spawned must not start "
                       "processes");
  }
  if (platform::has_more_rights_than_its_user()) {
    throw RuntimeError(start +
                       "a program with more rights than its user can't be executed once more; use "
                       "the start method fork");
  }
  if (!can_spawn()) {
    throw RuntimeError(start +
                       "main() can't be passed by in this program, since the library is "
                       "part of a shared library of its; call multiprocessing::freeze_support() "
                       "first in main()");
  }
  if (runtime::registry_descriptor() < 0) {
    throw RuntimeError(start +
                       "there was no descriptor to share the thread registry by when the "
                       "program began");
  }
}

Message ProcessControl::message(Outgoing& outgoing) const {
  const Crossing* crossing = target_ ? target_.crossing() : nullptr;
  Message message;
  message.identity = {identity_,
                      name(),
                      authkey(),
                      is_daemon(),
                      platform::process_id(),
                      current()->name(),
                      start_method_in_force()};
  if (crossing != nullptr) {
    message.entry = name_function(reinterpret_cast<std::uintptr_t>(crossing->entry()));
  }
  if (life_line_.childs_end) {
    message.life_line = outgoing.add_descriptor(life_line_.childs_end.get());
  }
  return message;
}

void ProcessControl::start_by_spawn() {
  const std::shared_ptr<Descriptor> handle = prepare_handle();
  Outgoing outgoing;
  open_message(write_message(message(outgoing), target_ ? target_.crossing() : nullptr, outgoing));
  platform::Spawn spawn;
  spawn.arguments = {platform::invocation_name(), "[" + name() + "]"};
  spawn.descriptors = {message_.get(), runtime::registry_descriptor()};
  spawn.descriptors.insert(spawn.descriptors.end(), outgoing.descriptors().begin(),
                           outgoing.descriptors().end());
  flush_standard_streams();
  const platform::Forked spawned = platform::spawn_this_program(spawn);
  if (spawned.error != 0) fail_to_start(spawned.error);
  hold_child(spawned.process, *handle);
}

void ProcessControl::start_by_server() {
  const std::shared_ptr<Descriptor> handle = prepare_handle();
  {
    // The child is another process's, so it can't find out by itself whether this one lives.
    const GuardHolder held(children::guard());
    platform::Opened own = platform::open_process(platform::process_id());
    if (own.error != 0) fail_to_start(own.error);
    creators_process_ = std::move(own.descriptor);
    status_ = platform::make_packet_pair();
    if (status_.error != 0) fail_to_start(status_.error);
  }
  Outgoing outgoing;
  Message told = message(outgoing);
  told.creator = outgoing.add_descriptor(creators_process_.get());
  open_message(write_message(told, target_ ? target_.crossing() : nullptr, outgoing));
  std::vector<int> given = {message_.get(), status_.theirs.get()};
  given.insert(given.end(), outgoing.descriptors().begin(), outgoing.descriptors().end());
  flush_standard_streams();
  const runtime::Reason reason(runtime::WaitKind::process, this);
  const auto is_sent = [&] {
    const GuardHolder held(children::guard());
    const int error = fork_server::request(given);
    if (error == EAGAIN) return false;
    close_what_was_told();
    life_line_.childs_end.reset();
    if (error != 0) fail_to_start(error);
    return true;
  };
  while (!is_sent()) fork_server::wait_for_room(reason);
  fork_server::Child child = fork_server::await_answer(status_.ours, reason);
  if (child.error == EPIPE) {
    throw OSError("cannot start " + described(name()) +
                      ": the fork server was killed while it was asked to; start it again",
                  child.error);
  }
  if (child.error != 0) fail_to_start(child.error);
  const GuardHolder held(children::guard());
  process_.store(child.number, platform::relaxed);
  *handle = std::move(child.process);
  stage_.store(Stage::running, platform::release);
}

void ProcessControl::close_what_was_told() noexcept {
  message_.reset();
  creators_process_.reset();
  status_.theirs.reset();
}

void ProcessControl::open_message(const std::vector<std::byte>& bytes) {
  const GuardHolder held(children::guard());
  platform::Opened opened = platform::open_message(bytes);
  if (opened.error != 0) fail_to_start(opened.error);
  message_ = std::move(opened.descriptor);
}

// A child that can't be held must not have begun, so the number of its descriptor is taken before,
// by a file that the child has a use for.
// The list of children knows at once what is open: another thread may fork at any time, and its
// child must not keep that.
std::shared_ptr<Descriptor> ProcessControl::prepare_handle() {
  auto handle = std::make_shared<Descriptor>();
  const GuardHolder held(children::guard());
  platform::Opened placeholder = platform::open_nothing();
  if (placeholder.error != 0) fail_to_start(placeholder.error);
  *handle = std::move(placeholder.descriptor);
  handle_ = handle;
  if (is_daemon()) life_line_ = platform::make_life_line();
  if (life_line_.error != 0) fail_to_start(life_line_.error);
  if (!children::add(*this)) {
    throw RuntimeError("cannot start " + described(name()) + ": the program is ending");
  }
  return handle;
}

void ProcessControl::hold_child(std::uint32_t process, Descriptor& handle) {
  const GuardHolder held(children::guard());
  forking_ = nullptr;
  life_line_.childs_end.reset();
  close_what_was_told();
  platform::Opened child = platform::open_process(process);
  if (child.error == EMFILE || child.error == ENFILE) {
    handle.reset();
    child = platform::open_process(process);
  }
  if (child.error != 0 && child.error != ESRCH) {
    // Another thread has taken the number just given back.
    platform::kill_and_reap(process);
    fail_to_start(child.error);
  }
  process_.store(process, platform::relaxed);
  if (child.error == 0) {
    handle = std::move(child.descriptor);
    stage_.store(Stage::running, platform::release);
  } else {
    // It has ended, and somebody else has reaped it. What has kept its place can be read from, as
    // a descriptor of an ended process.
    children::remove(*this);
    exit_code_.store(unknown_exit_code, platform::relaxed);
    stage_.store(Stage::ended, platform::release);
  }
}

void ProcessControl::fail_to_start(int error) const {
  throw_os_error("cannot start " + described(name()), error);
}

void ProcessControl::vanish() noexcept {
  life_line_.parents_end.reset();
  close_what_was_told();
  status_ = {};
  const bool is_calling_process = forking_ != nullptr && forking_ == runtime::registered_self();
  if (is_calling_process) {
    // What has kept its descriptor's place becomes the child's standard input.
    platform::read_standard_input_from(std::move(*handle_));
  } else {
    life_line_.childs_end.reset();
    if (handle_ != nullptr) handle_->reset();
  }
}

void ProcessControl::live_as_child(Process& object) {
  platform::leave_standard_streams_to_parent();
  try {
    become_current();
    if (is_daemon()) tie_to_parent(life_line_.childs_end);
  } catch (const std::exception& error) {
    // What follows start() is the parent's to do.
    platform::print_error(
        ("tutti: a child can't begin: " + std::string(error.what()) + "\n").c_str());
    platform::end_process(1);
  }
  run_as_child({[](void* process) { static_cast<Process*>(process)->run(); }, &object},
               Ending::at_once);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
