#include "support/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace tests {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
  std::array<int, 2> ends{-1, -1};
};

// Some programs start threads after a fork, which ThreadSanitizer has to be asked to allow.
std::vector<std::string> environment() {
  constexpr std::string_view options = "TSAN_OPTIONS=";
  std::string sanitizer(options);
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).starts_with(options)) {
      sanitizer = std::string(*variable) + ":";
    } else {
      variables.emplace_back(*variable);
    }
  }
  variables.push_back(sanitizer + "die_after_fork=0:atexit_sleep_ms=0");
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn(std::vector<std::string> command, std::vector<std::string> variables, Pipe& out,
            Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  // A group of its own, so that it can be killed with its children.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // And Ctrl-C as usual there, also when these tests run in the background of a shell that has them
  // ignore it.
  sigset_t to_default;
  sigemptyset(&to_default);
  sigaddset(&to_default, SIGINT);
  posix_spawnattr_setsigdefault(&attributes, &to_default);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  for (std::string& inherited : environment()) variables.push_back(std::move(inherited));
  pid_t process = -1;
  const int error = posix_spawn(&process, command[0].c_str(), &actions, &attributes,
                                pointers_to(command).data(), pointers_to(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), command[0]);
  return process;
}

// Reads what comes until both ends are closed; false when the time is over before.
bool read_all(Pipe& out, Pipe& err, Ended& ended, Clock::time_point end) {
  std::array<pollfd, 2> files{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
  const std::array<std::string*, 2> texts{&ended.out, &ended.err};
  while (files[0].fd >= 0 || files[1].fd >= 0) {
    if (Clock::now() > end) return false;
    poll(files.data(), files.size(), 100);
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (files[i].fd < 0 || files[i].revents == 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t size = read(files[i].fd, buffer.data(), buffer.size());
      if (size > 0) texts[i]->append(buffer.data(), static_cast<std::size_t>(size));
      if (size == 0) files[i].fd = -1;
    }
  }
  return true;
}

}  // namespace

Ended run_program(const std::string& program, const std::vector<std::string>& arguments,
                  const std::vector<std::string>& variables) {
  Pipe out;
  Pipe err;
  std::vector<std::string> command{program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const pid_t process = spawn(command, variables, out, err);
  out.close_end(1);
  err.close_end(1);

  Ended ended;
  const auto end = Clock::now() + std::chrono::seconds(60);
  ended.hung = !read_all(out, err, ended, end);
  int status = 0;
  while (!ended.hung && waitpid(process, &status, WNOHANG) == 0) {
    ended.hung = Clock::now() > end;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (ended.hung) {
    kill(-process, SIGKILL);
    waitpid(process, &status, 0);
  }
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ended;
}

testing::AssertionResult ended_with(const Ended& ended, int code, const std::string& out) {
  const bool as_expected =
      !ended.hung && ended.code == code && ended.out == out && ended.err.empty();
  return (as_expected ? testing::AssertionSuccess() : testing::AssertionFailure())
         << (ended.hung ? "hung" : "ended") << " with code " << ended.code << ", expected " << code
         << "\nstdout:\n"
         << ended.out << "expected:\n"
         << out << "stderr:\n"
         << ended.err;
}

}  // namespace tests
