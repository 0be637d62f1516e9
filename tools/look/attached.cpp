// PTRACE_SEIZE and PTRACE_INTERRUPT, not PTRACE_ATTACH, which would send a SIGSTOP that outlives
// this program if that is killed at the wrong moment.
#include "look/attached.h"

#include <fmt/core.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "look/error.h"

namespace look {

namespace {

constexpr std::chrono::milliseconds patience{1000};
constexpr std::chrono::microseconds between_looks{100};

long trace(__ptrace_request request, std::uint32_t task, int signal = 0) {
  return ptrace(request, static_cast<pid_t>(task), nullptr,
                reinterpret_cast<void*>(static_cast<std::intptr_t>(signal)));
}

bool has_ended(const Process& process, std::uint32_t task) {
  const auto tasks = process.tasks();
  const auto found = tasks.find(task);
  return found == tasks.end() || found->second.state == 'Z' || found->second.state == 'X';
}

[[noreturn]] void throw_refused(const Process& process) {
  throw NotPermitted(fmt::format(
      "not permitted to stop {} for a look at its stacks: a debugger has it already, or the system "
      "lets only root do so",
      process.describe()));
}

}  // namespace

Attached::Attached(const Process& process) {
  std::set<std::uint32_t> seen;
  try {
    // Threads that still run may start others; once a look finds no new one, all are stopped.
    for (bool is_complete = false; !is_complete;) {
      std::vector<std::uint32_t> seized;
      for (const auto& [task, about] : process.tasks()) {
        if (seen.insert(task).second && seize(process, task)) seized.push_back(task);
      }
      for (const std::uint32_t task : seized) await_stop(task);
      is_complete = seized.empty();
    }
  } catch (...) {
    detach();
    throw;
  }
  if (stopped_.empty()) process.throw_ended();
}

Attached::~Attached() {
  detach();
}

bool Attached::seize(const Process& process, std::uint32_t task) {
  constexpr std::chrono::milliseconds longest_end{50};
  const auto end = std::chrono::steady_clock::now() + longest_end;
  while (trace(PTRACE_SEIZE, task) != 0) {
    // EPERM for one that is about to end, too.
    if (errno != EPERM || has_ended(process, task)) return false;
    if (std::chrono::steady_clock::now() > end) throw_refused(process);
    std::this_thread::sleep_for(between_looks);
  }
  return trace(PTRACE_INTERRUPT, task) == 0;
}

void Attached::await_stop(std::uint32_t task) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    int status = 0;
    const pid_t found = waitpid(static_cast<pid_t>(task), &status, __WALL | WNOHANG);
    if (found < 0 && errno != EINTR) return;
    if (found > 0) {
      if (!WIFSTOPPED(status)) return;  // It has ended.
      const bool is_interrupted = status >> 16 == PTRACE_EVENT_STOP;
      stopped_.emplace(task, is_interrupted ? 0 : WSTOPSIG(status));
      return;
    }
    std::this_thread::sleep_for(between_looks);
  }
}

void Attached::detach() noexcept {
  for (const auto& [task, signal] : stopped_) trace(PTRACE_DETACH, task, signal);
  stopped_.clear();
}

}  // namespace look
