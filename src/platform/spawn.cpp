#include "platform/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tutti::inline TUTTI_ABI::platform {

namespace {

constexpr char variable[] = "TUTTI_SPAWN";
// After the three standard ones.
constexpr int first_descriptor = 3;

// What the child does between its making and the execution, in order.
class Actions {
 public:
  Actions() { check(posix_spawn_file_actions_init(&actions_)); }
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  /// As `first_descriptor` and those after it, and nothing beyond.
  void give(std::vector<int> descriptors) {
    const int end = first_descriptor + static_cast<int>(descriptors.size());
    // Those that lie where another one is to be go out of the way, to where none is.
    int free = end;
    for (int& descriptor : descriptors) {
      if (descriptor < first_descriptor || descriptor >= end) continue;
      while (std::find(descriptors.begin(), descriptors.end(), free) != descriptors.end()) ++free;
      check(posix_spawn_file_actions_adddup2(&actions_, descriptor, free));
      descriptor = free;
    }
    int place = first_descriptor;
    for (const int descriptor : descriptors) {
      check(posix_spawn_file_actions_adddup2(&actions_, descriptor, place++));
    }
    check(posix_spawn_file_actions_addclosefrom_np(&actions_, end));
    // Last, for one of those that are given may have been there.
    check(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
  }

  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }
  int error() const noexcept { return error_; }

 private:
  void check(int error) noexcept {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_;
  int error_ = 0;
};

}  // namespace

Forked spawn_this_program(const Spawn& spawn) {
  Actions actions;
  actions.give(spawn.descriptors);
  if (actions.error() != 0) return {actions.error(), 0};

  std::vector<char*> arguments;
  for (const std::string& argument : spawn.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);

  std::string ours = std::string(variable) + "=" + std::to_string(spawn.descriptors.size());
  std::vector<char*> environment{ours.data()};
  for (char** each = environ; *each != nullptr; ++each) environment.push_back(*each);
  environment.push_back(nullptr);

  pid_t child = 0;
  // The file that this process runs, also if another one has been put in its place.
  const int error = posix_spawn(&child, "/proc/self/exe", actions.get(), nullptr, arguments.data(),
                                environment.data());
  return {error, error == 0 ? static_cast<std::uint32_t>(child) : 0};
}

std::string invocation_name() {
  return program_invocation_name;
}

Opened open_message(std::span<const std::byte> bytes) noexcept {
  Descriptor file(past_the_standard_streams(memfd_create("tutti-message", MFD_CLOEXEC)));
  if (!file) return {errno, {}};
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return {written < 0 ? errno : ENOSPC, {}};
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {0, std::move(file)};
}

std::vector<std::byte> read_message(const Descriptor& message) {
  struct stat file = {};
  if (fstat(message.get(), &file) != 0 || !S_ISREG(file.st_mode)) return {};
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.st_size));
  std::size_t read = 0;
  while (read < bytes.size()) {
    const ssize_t count =
        pread(message.get(), bytes.data() + read, bytes.size() - read, static_cast<off_t>(read));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return {};
    read += static_cast<std::size_t>(count);
  }
  return bytes;
}

const Inheritance& inheritance() noexcept {
  static const Inheritance found = [] {
    Inheritance read;
    // Not for a program with more rights than its user: whoever writes the message says what runs.
    const char* value = secure_getenv(variable);
    if (value == nullptr) return read;
    read.message = first_descriptor;
    read.registry = first_descriptor + 1;
    read.first_other = first_descriptor + 2;
    read.others = std::max(std::atoi(value) - 2, 0);
    for (int i = 0; i < read.others + 2; ++i) close_on_exec(first_descriptor + i);
    // What this process executes in its turn is another matter.
    unsetenv(variable);
    return read;
  }();
  return found;
}

bool has_more_rights_than_its_user() noexcept {
  return getauxval(AT_SECURE) != 0;
}

void close_on_exec(int descriptor) noexcept {
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

}  // namespace tutti::inline TUTTI_ABI::platform
