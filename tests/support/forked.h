// A child of a test, made by fork(), without the library's own processes.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <concepts>
#include <cstdio>
#include <exception>
#include <utility>

namespace tests {

/// Runs a function in a child process, which then ends with its result as exit code, or with 99 if
/// it throws. Killed, if it is still there at the end.
class Forked {
 public:
  template <std::invocable Function>
  explicit Forked(Function function) : process_(fork()) {
    if (process_ != 0) return;
    int code = 99;
    try {
      code = function();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
    }
    _exit(code);
  }
  ~Forked() {
    if (process_ <= 0) return;
    kill();
    join();
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  pid_t process() const { return process_; }
  void kill() const { ::kill(process_, SIGKILL); }
  /// The exit code, or minus the signal.
  int join() {
    int status = 0;
    waitpid(std::exchange(process_, 0), &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t process_;
};

}  // namespace tests
