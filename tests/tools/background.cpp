#include "tools/background.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace tests {

namespace {

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Background::Background(const std::string& program, const std::vector<std::string>& arguments,
                       const std::vector<std::string>& variables) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  output_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A shell ignores SIGQUIT in what it runs in the background, as it may these tests.
  sigset_t to_default;
  sigemptyset(&to_default);
  sigaddset(&to_default, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &to_default);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> command{program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    environment.emplace_back(*variable);
  }
  const int error = posix_spawn(&pid_, program.c_str(), &actions, &attributes,
                                pointers_to(command).data(), pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) throw std::system_error(error, std::generic_category(), program);
  while (said_.find('\n') == std::string::npos) {
    if (!read_some(std::chrono::minutes(1))) throw std::runtime_error(program + " says nothing");
  }
}

Background::~Background() {
  end();
  close(output_);
}

void Background::send(int signal) const {
  kill(pid_, signal);
}

void Background::end() {
  if (has_ended_) return;
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  has_ended_ = true;
}

bool Background::read_some(std::chrono::milliseconds patience) {
  pollfd file{output_, POLLIN, 0};
  if (poll(&file, 1, static_cast<int>(patience.count())) <= 0) return false;
  std::array<char, 4096> buffer;
  const ssize_t size = read(output_, buffer.data(), buffer.size());
  if (size > 0) said_.append(buffer.data(), static_cast<std::size_t>(size));
  return size > 0;
}

std::string Background::said() {
  while (read_some(std::chrono::milliseconds(0))) {
  }
  return said_;
}

std::string Background::states() const {
  std::string states;
  std::error_code gone;
  const std::filesystem::path tasks = "/proc/" + std::to_string(pid_) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    std::ifstream file(task.path() / "stat");
    std::string stat;
    std::getline(file, stat);  // Empty if the thread has ended.
    const std::size_t end = stat.rfind(')');
    if (end != std::string::npos) states += stat[end + 2];
  }
  return states;
}

char Background::state() const {
  const std::string all = states();
  return all.empty() ? '?' : all[0];
}

bool Background::is_stopped() const {
  const std::string all = states();
  return !all.empty() && all.find_first_not_of('T') == std::string::npos;
}

}  // namespace tests
