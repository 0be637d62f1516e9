#include "multiprocessing/process_control.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "multiprocessing/child.h"
#include "multiprocessing/children.h"
#include "multiprocessing/errors.h"
#include "multiprocessing/fork_server.h"
#include "multiprocessing/start_method.h"
#include "multiprocessing/told_process.h"
#include "platform/process.h"
#include "platform/spawn.h"
#include "platform/stream.h"
#include "runtime/descriptor_wait.h"
#include "runtime/life.h"
#include "runtime/names.h"
#include "runtime/registry.h"
#include "runtime/shutdown.h"
#include "runtime/wait_graph.h"
#include "threading/overrider.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using platform::Descriptor;
using runtime::GuardHolder;

// Of a child whose exit code somebody else has asked for.
constexpr int unknown_exit_code = 255;

// Changed only in a fork's child, while it has one thread. Never destroyed, for threads that
// outlive static objects.
std::shared_ptr<ProcessControl>& the_current() {
  static auto& control = *new std::shared_ptr<ProcessControl>(
      std::make_shared<ProcessControl>(ProcessControl::Main{}));
  return control;
}

// Made while the program has one thread: in a fork's child, the one that was about to make it could
// be missing.
[[maybe_unused]] const bool current_is_made = (the_current(), true);

// Asked by the waiting thread itself, which keeps the control.
[[maybe_unused]] const bool tells_of_ends = [] {
  runtime::set_holder_finder(
      runtime::WaitKind::process,
      [](runtime::ThreadId /*waiting*/, const runtime::WaitRecord& record) noexcept {
        return reinterpret_cast<const ProcessControl*>(record.object)->only_thread();
      });
  return true;
}();

std::string random_key() {
  std::array<std::byte, 32> bytes;
  platform::fill_with_random(bytes);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string default_name(const std::vector<std::uint32_t>& identity) {
  std::string name = "Process";
  char separator = '-';
  for (const std::uint32_t number : identity) {
    name += separator + std::to_string(number);
    separator = ':';
  }
  return name;
}

std::string code_in_words(int code) {
  const char* signal = platform::signal_name(-code);
  return signal == nullptr ? std::to_string(code) : std::string("-") + signal;
}

}  // namespace

ProcessControl::ProcessControl(ProcessOptions options)
    : creator_(platform::process_id()),
      stage_(Stage::made),
      is_daemon_(options.daemon ? *options.daemon : current()->is_daemon()),
      start_method_(options.start_method),
      target_(std::move(options.target)) {
  ProcessControl& creator = *current();
  identity_ = creator.identity_;
  identity_.push_back(creator.children_made_.fetch_add(1, platform::relaxed) + 1);
  name_ = options.name.empty() ? default_name(identity_) : std::move(options.name);
  authkey_ = creator.authkey();
  runtime::set_name(this, name_);
}

ProcessControl::ProcessControl(Main)
    : creator_(platform::process_id()),
      stage_(Stage::current),
      is_daemon_(false),
      name_("MainProcess"),
      authkey_(random_key()) {}

ProcessControl::ProcessControl(Parent parent)
    : creator_(platform::process_id()),
      stage_(Stage::parent),
      is_daemon_(false),
      process_(parent.process),
      name_(std::move(parent.name)) {
  runtime::set_name(this, name_);
}

ProcessControl::ProcessControl(Identity identity)
    : creator_(platform::process_id()),
      stage_(Stage::current),
      is_daemon_(identity.is_daemon),
      identity_(std::move(identity.numbers)),
      name_(std::move(identity.name)),
      authkey_(std::move(identity.authkey)) {}

ProcessControl::~ProcessControl() {
  runtime::forget_name(this);
}

std::shared_ptr<ProcessControl> ProcessControl::current() {
  return the_current();
}

void ProcessControl::become(Identity identity, Descriptor creator) {
  auto parent =
      std::make_shared<ProcessControl>(Parent{identity.creator, std::move(identity.creators_name)});
  if (creator) parent->handle_ = std::make_shared<Descriptor>(std::move(creator));
  auto control = std::make_shared<ProcessControl>(std::move(identity));
  control->parent_ = std::move(parent);
  the_current() = std::move(control);
}

// --- start ---------------------------------------------------------------------------------------

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
  children::set_being_forked(this);
  const platform::Forked forked = platform::fork_process();
  children::set_being_forked(nullptr);
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

void ProcessControl::vanish(bool is_calling_process) noexcept {
  life_line_.parents_end.reset();
  close_what_was_told();
  status_ = {};
  if (is_calling_process) {
    // What has kept its descriptor's place becomes the child's standard input.
    platform::read_standard_input_from(*handle_);
  } else {
    life_line_.childs_end.reset();
  }
  if (handle_ != nullptr) handle_->reset();
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

void ProcessControl::become_current() {
  std::shared_ptr<ProcessControl>& current = the_current();
  parent_ =
      std::make_shared<ProcessControl>(Parent{creator_.load(platform::relaxed), current->name()});
  creator_.store(platform::process_id(), platform::relaxed);
  stage_.store(Stage::current, platform::relaxed);
  current = shared_from_this();
}

void ProcessControl::run_target() {
  if (!target_) return;
  // The target's arguments are destroyed when it returns.
  Callable target = std::move(target_);
  target();
}

// --- end -----------------------------------------------------------------------------------------

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

// --- questions -----------------------------------------------------------------------------------

bool ProcessControl::is_anothers() const noexcept {
  return creator_.load(platform::relaxed) != platform::process_id();
}

void ProcessControl::check_open() const {
  if (is_closed_.load(platform::acquire)) throw ValueError(described(name()) + " is closed");
}

std::shared_ptr<Descriptor> ProcessControl::handle() const {
  const GuardHolder held(children::guard());
  if (handle_ == nullptr) throw ValueError(described(name()) + " is closed");
  return handle_;
}

int ProcessControl::sentinel() {
  check_open();
  const Stage stage = stage_.load(platform::acquire);
  if (stage == Stage::made || stage == Stage::starting || stage == Stage::current) {
    throw ValueError(described(name()) + " has no sentinel: it was not started by this process");
  }
  if (stage == Stage::parent) {
    const GuardHolder held(children::guard());
    if (handle_ == nullptr) handle_ = std::make_shared<Descriptor>(open_parent());
    return handle_->get();
  }
  if (is_anothers()) {
    throw RuntimeError(described(name()) +
                       " has no sentinel here: it is not a child of this process");
  }
  return handle()->get();
}

Descriptor ProcessControl::open_parent() const {
  const std::uint32_t parent = process_.load(platform::relaxed);
  platform::Opened opened = platform::open_process(parent);
  // As long as this process is its child, it lives, and the number is its own.
  const bool is_gone = opened.error == ESRCH || platform::parent_of_process() != parent;
  if (is_gone) opened = platform::open_nothing();
  if (opened.error != 0) throw_os_error("no sentinel of the parent", opened.error);
  return std::move(opened.descriptor);
}

std::optional<std::uint32_t> ProcessControl::process() const {
  check_open();
  switch (stage_.load(platform::acquire)) {
    case Stage::made:
    case Stage::starting:
      return std::nullopt;
    case Stage::current:
      return platform::process_id();
    default:
      return process_.load(platform::relaxed);
  }
}

std::optional<int> ProcessControl::exit_code() {
  check_open();
  if (!look_for_end()) return std::nullopt;
  return exit_code_.load(platform::relaxed);
}

void ProcessControl::set_daemon(bool daemon) {
  if (stage_.load(platform::acquire) != Stage::made) {
    throw RuntimeError("cannot set daemon status of " + described(name()) + ": it is started");
  }
  is_daemon_.store(daemon, platform::relaxed);
}

std::string ProcessControl::name() const {
  const GuardHolder held(runtime::leaf_guard);
  return name_;
}

void ProcessControl::set_name(std::string name) {
  runtime::set_name(this, name);
  const GuardHolder held(runtime::leaf_guard);
  name_.swap(name);
}

std::string ProcessControl::authkey() const {
  const GuardHolder held(runtime::leaf_guard);
  return authkey_;
}

void ProcessControl::set_authkey(std::string key) {
  const GuardHolder held(runtime::leaf_guard);
  authkey_.swap(key);
}

std::string ProcessControl::to_string() {
  std::string text = "<Process name='" + name() + "'";
  if (is_closed_.load(platform::acquire)) return text + " closed>";
  if (const std::optional<std::uint32_t> number = process()) {
    text += " pid=" + std::to_string(*number);
  }
  const Stage stage = stage_.load(platform::acquire);
  if (stage == Stage::made || stage == Stage::starting) {
    text += " initial";
  } else if (stage == Stage::current) {
    text += " started";
  } else if (stage == Stage::parent) {
    text += is_alive() ? " started" : " stopped";
  } else {
    text += " parent=" + std::to_string(creator_.load(platform::relaxed));
    const std::optional<int> code = exit_code();
    text += code            ? " stopped exitcode=" + code_in_words(*code)
            : is_anothers() ? " unknown"
                            : " started";
  }
  return text + (is_daemon() ? " daemon>" : ">");
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
