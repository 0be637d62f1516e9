#include "support/stepped.h"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elf.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "platform/stack.h"
#include "support/sanitizer.h"

namespace tests {

namespace {

constexpr int forbidden = 77;
constexpr int thrown = 78;
// Not an exit code.
constexpr int finished = 1000;

// Not by raise(), which would be stepped through.
void stop_here() {
  syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP);
}

[[noreturn]] void run_child(const std::function<void()>& prepare,
                            const std::function<void()>& work) {
  try {
    prepare();
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(forbidden);
    stop_here();
    work();
    stop_here();
  } catch (...) {
    _exit(thrown);
  }
  _exit(0);
}

// Ends with the child gone.
class Traced {
 public:
  explicit Traced(pid_t pid) : pid_(pid) {}
  ~Traced() {
    if (ended_) return;
    kill(pid_, SIGKILL);
    wait();
  }
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;

  /// Waits until it stops by itself.
  std::optional<int> begin() {
    const std::optional<int> code = wait();
    return code == finished ? std::nullopt : code;
  }
  /// Its exit code, if it has ended, or `finished` when it stops by itself; else it is stopped
  /// after a step.
  std::optional<int> wait() {
    int status = 0;
    while (waitpid(pid_, &status, __WALL) != pid_) {
    }
    ended_ = WIFEXITED(status) || WIFSIGNALED(status);
    if (!ended_) return WSTOPSIG(status) == SIGSTOP ? std::optional(finished) : std::nullopt;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::optional<int> step() {
    if (ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) != 0) {
      throw std::runtime_error(std::string("can't step: ") + std::strerror(errno));
    }
    return wait();
  }
  std::uintptr_t address() const {
    user_regs_struct registers{};
    iovec to{&registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, pid_, NT_PRSTATUS, &to);
#if defined(__x86_64__)
    return registers.rip;
#else
    return registers.pc;
#endif
  }

 private:
  const pid_t pid_;
  bool ended_ = false;
};

}  // namespace

Cut cut_short(const std::function<void()>& prepare, const std::function<void()>& work,
              std::size_t steps) {
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) run_child(prepare, work);
  Traced child(pid);
  std::optional<int> code = child.begin();
  for (std::size_t step = 0; !code && step < steps; ++step) code = child.step();
  if (code && code != finished) {
    throw std::runtime_error("the stepped child ended with " + std::to_string(*code));
  }
  return {code == finished, steps, code ? 0 : child.address()};
}

std::string Cut::place() const {
  if (has_finished) return "after the last instruction";
  return "instruction " + std::to_string(steps) + ", in " + tutti::platform::function_name(address);
}

std::size_t for_each_cut(std::size_t stride, const std::function<Cut(std::size_t)>& at_each) {
  if (const char* wanted = std::getenv("TUTTI_TEST_STRIDE")) {
    stride = std::max(std::strtoul(wanted, nullptr, 10), 1ul);
  }
  std::size_t count = 0;
  for (std::size_t steps = 0;; steps += stride) {
    const Cut cut = at_each(steps);
    ++count;
    if (cut.has_finished) return count;
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "when killed at " << cut.place();
      return count;
    }
  }
}

std::string why_not_stepped() {
  if (under_thread_sanitizer || under_address_sanitizer) {
    return "most instructions are the sanitizer's own";
  }
  const pid_t pid = fork();
  if (pid == 0) run_child([] {}, [] {});
  Traced child(pid);
  if (child.begin() == forbidden) return "ptrace is forbidden here";
  return child.step() ? "this machine has no single steps" : "";
}

}  // namespace tests
