#include "platform/survivor.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace tutti::inline TUTTI_ABI::platform {

namespace {

[[noreturn]] void survive(int end_of_lifeline, void (*last_will)(void*), void* argument) {
  // Neither Ctrl-C nor the end of the terminal is meant for it.
  setsid();
  prctl(PR_SET_NAME, "tutti-survivor");
  if (end_of_lifeline != STDIN_FILENO) dup2(end_of_lifeline, STDIN_FILENO);
  close(STDOUT_FILENO);
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
  if (chdir("/") != 0) {
    // Then it keeps the folder it is in, which does no harm.
  }
  char nothing;
  while (read(STDIN_FILENO, &nothing, 1) < 0 && errno == EINTR) {
  }
  last_will(argument);
  _exit(0);
}

// Not by fork(): without a signal at its end the new process is invisible for wait(), and what the
// program and this library do around a fork does not concern it.
long fork_quietly() noexcept {
  return syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
}

int exit_code_of(pid_t process) noexcept {
  int status = 0;
  while (waitpid(process, &status, __WALL) < 0) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

}  // namespace

Survivor start_survivor(void (*last_will)(void*), void* argument) noexcept {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {errno};
  // The program's handlers must not run there.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const long parent_of_it = fork_quietly();
  if (parent_of_it == 0) {
    const long survivor = fork_quietly();
    if (survivor != 0) _exit(survivor < 0 ? errno : 0);
    close(ends[1]);
    survive(ends[0], last_will, argument);
  }
  const int error = parent_of_it < 0 ? errno : exit_code_of(static_cast<pid_t>(parent_of_it));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(ends[0]);
  if (error != 0) close(ends[1]);
  return {error, error == 0 ? ends[1] : -1};
}

}  // namespace tutti::inline TUTTI_ABI::platform
