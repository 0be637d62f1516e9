#include "multiprocessing/process_control.h"

#include <array>
#include <cerrno>
#include <utility>

#include "multiprocessing/children.h"
#include "multiprocessing/errors.h"
#include "platform/stream.h"
#include "runtime/names.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using platform::Descriptor;
using runtime::GuardHolder;

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

void ProcessControl::become_current() {
  forked_by_ = creator_.load(platform::relaxed);
  forked_from_ = std::exchange(the_current(), shared_from_this());
  creator_.store(platform::process_id(), platform::relaxed);
  stage_.store(Stage::current, platform::relaxed);
}

void ProcessControl::run_target() {
  if (!target_) return;
  // The target's arguments are destroyed when it returns.
  Callable target = std::move(target_);
  if (forked_from_ == nullptr) return target();
  // A fork's child pays for each page that it is the first to touch, those of the allocator, too.
  struct Destruction {
    Callable& target;
    ~Destruction() { target.destroy_in_place(); }
  };
  const Destruction afterwards{target};
  target();
}

// --- questions -----------------------------------------------------------------------------------

std::shared_ptr<ProcessControl> ProcessControl::parent() {
  const GuardHolder held(children::guard());
  if (parent_ == nullptr && forked_from_ != nullptr) {
    parent_ = std::make_shared<ProcessControl>(Parent{forked_by_, forked_from_->name()});
  }
  return parent_;
}

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
