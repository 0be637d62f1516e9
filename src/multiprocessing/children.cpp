#include "multiprocessing/children.h"

#include <algorithm>
#include <utility>

#include "multiprocessing/fork_server.h"
#include "runtime/chain.h"
#include "runtime/shutdown.h"
#include "runtime/waiting.h"
#include "tutti/errors.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::children {

namespace {

using runtime::GuardHolder;

constinit runtime::Guard children_guard;  // Guards what follows.
constinit runtime::Chain<ProcessControl> list;
constinit std::size_t length = 0;
constinit bool is_closed = false;
constinit std::size_t sweep_at = 0;

std::shared_ptr<ProcessControl> first_running(bool daemonic) {
  for (std::shared_ptr<ProcessControl>& child : living()) {
    if (child->is_daemon() == daemonic) return std::move(child);
  }
  return nullptr;
}

// A daemonic child that does not heed SIGTERM must not hold up the end of its parent.
void end_daemons() {
  if (first_running(true) == nullptr) return;
  constexpr double time_to_end = 1;
  const std::int64_t deadline = Timeout(time_to_end).deadline();
  for (const auto& child : living()) {
    if (child->is_daemon()) child->signal_if_running(platform::terminate_signal);
  }
  while (const auto child = first_running(true)) {
    if (!child->join(deadline)) {
      child->signal_if_running(platform::kill_signal);
      child->join(platform::never);
    }
  }
}

// Runs in the thread that ends the program, after its threads, before static objects are destroyed.
void end_all() {
  {
    // First: a daemon thread that starts a child for each that ends, as a pool's does, would go on
    // for ever.
    const GuardHolder held(children_guard);
    is_closed = true;
  }
  try {
    end_daemons();
    while (const auto child = first_running(false)) child->join(platform::never);
    fork_server::stop();
  } catch (const KeyboardInterrupt&) {
    platform::print_error("tutti: interrupted while waiting for processes; ending without them\n");
  }
}

void before_fork() {
  children_guard.lock();
}

void in_parent() {
  children_guard.unlock();
}

// Whoever forks: the children are not those of the new process. What they are made of is left as it
// is, for destructors of the program's must not run here.
void in_child() {
  for (ProcessControl* child = list.first(); child != nullptr; child = child->next) {
    child->vanish();
  }
  fork_server::vanish();
  list = {};
  length = 0;
  sweep_at = 0;
  children_guard.reset();
}

[[maybe_unused]] const bool prepared = [] {
  // The order matters in a fork's child: the layers below have been put in order before.
  runtime::self();
  platform::around_fork({before_fork, in_parent, in_child});
  runtime::before_ending_after_threads(end_all);
  return true;
}();

}  // namespace

runtime::Guard& guard() noexcept {
  return children_guard;
}

bool add(ProcessControl& control) noexcept {
  if (is_closed) return false;
  control.kept_by_list = control.shared_from_this();
  list.push_back(control);
  ++length;
  return true;
}

void remove(ProcessControl& control) noexcept {
  if (control.kept_by_list == nullptr) return;
  list.remove(control);
  --length;
  control.kept_by_list.reset();
}

std::vector<std::shared_ptr<ProcessControl>> living() {
  std::vector<std::shared_ptr<ProcessControl>> children;
  {
    const GuardHolder held(children_guard);
    for (ProcessControl* child = list.first(); child != nullptr; child = child->next) {
      children.push_back(child->shared_from_this());
    }
  }
  std::erase_if(children, [](const std::shared_ptr<ProcessControl>& child) {
    return child->look_for_end() || !child->is_running();
  });
  return children;
}

void sweep_now_and_then() {
  // To look at all of many children at each start would make the starts slower and slower. So that
  // is done when their number has doubled since.
  constexpr std::size_t few = 16;
  {
    const GuardHolder held(children_guard);
    if (length > few && length < sweep_at) return;
  }
  const std::size_t left = living().size();
  const GuardHolder held(children_guard);
  sweep_at = 2 * left;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::children
