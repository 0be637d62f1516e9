#include "support/forked.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace tests {

namespace {

int run(const std::function<int()>& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a child of the test ends by: %s\n", error.what());
    return 99;
  }
}

}  // namespace

Forked::Forked(const std::function<int()>& work) : pid_(fork()) {
  if (pid_ == 0) _exit(run(work));  // What the test's process has to clean up is not the child's.
  if (pid_ < 0) throw std::runtime_error("fork failed");
}

Forked::~Forked() {
  if (!code_) kill();
}

int Forked::join() {
  if (code_) return *code_;
  int status = 0;
  while (waitpid(pid_, &status, 0) != pid_) {
  }
  code_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  return *code_;
}

void Forked::kill() {
  ::kill(pid_, SIGKILL);
  join();
}

}  // namespace tests
