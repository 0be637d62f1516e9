#include "look/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "look/error.h"

namespace look {

namespace {

std::string user_name(uid_t user) {
  std::array<char, 4096> buffer;
  passwd entry;
  passwd* found = nullptr;
  getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::to_string(user) : found->pw_name;
}

template <typename Number>
std::optional<Number> number_in(std::string_view text, int base = 10) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// The numbers that the entries of a folder of /proc are called by.
template <typename Number>
std::vector<Number> numbers_in(int folder) {
  std::vector<Number> found;
  DIR* entries = folder < 0 ? nullptr : fdopendir(folder);
  if (entries == nullptr) return found;
  while (const dirent* entry = readdir(entries)) {  // NOLINT(concurrency-mt-unsafe): its own stream
    if (const auto number = number_in<Number>(entry->d_name)) found.push_back(*number);
  }
  closedir(entries);
  std::sort(found.begin(), found.end());
  return found;
}

// "12 (name) S 1 …": see proc(5). The name may hold anything, so look for the last parenthesis.
std::optional<Task> task_in(const std::string& stat) {
  const std::size_t begin = stat.find('(');
  const std::size_t end = stat.rfind(')');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  Task task;
  task.name = stat.substr(begin + 1, end - begin - 1);
  std::istringstream rest(stat.substr(end + 1));
  rest >> task.state;
  std::string skipped;
  for (int field = 4; field < 14; ++field) rest >> skipped;
  double user_ticks = 0;
  double system_ticks = 0;
  rest >> user_ticks >> system_ticks;
  task.cpu_seconds = (user_ticks + system_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return task;
}

std::string read_and_close(int file) {
  std::string text;
  std::array<char, 16'384> buffer;
  ssize_t size;
  while ((size = read(file, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  close(file);
  return text;
}

// "begin-end rwxs offset device inode   path"
std::optional<Mapping> mapping_in(const std::string& line) {
  std::istringstream fields(line);
  Mapping mapping;
  char dash = 0;
  std::string permissions;
  std::string device;
  fields >> std::hex >> mapping.begin >> dash >> mapping.end >> permissions >> mapping.offset >>
      device >> std::dec >> mapping.inode;
  if (!fields) return std::nullopt;
  std::getline(fields >> std::ws, mapping.path);
  return mapping;
}

}  // namespace

Process::Process(int pid)
    : pid_(pid), folder_(open(fmt::format("/proc/{}", pid).c_str(), O_DIRECTORY | O_CLOEXEC)) {
  if (folder_ < 0) throw Error(fmt::format("there is no process {}", pid));
}

Process::~Process() {
  close(folder_);
}

int Process::open_file(const char* path, int flags) const {
  return openat(folder_, path, flags | O_CLOEXEC);
}

std::string Process::read_file(const char* path) const {
  const int file = open_file(path, O_RDONLY);
  return file < 0 ? "" : read_and_close(file);
}

std::string Process::program() const {
  std::string command = read_file("cmdline");
  command.resize(std::strlen(command.c_str()));
  if (!command.empty()) return std::filesystem::path(command).filename();
  std::string name = read_file("comm");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

std::string Process::describe() const {
  const std::string name = program();
  return name.empty() ? fmt::format("process {}", pid_)
                      : fmt::format("process {} ({})", pid_, name);
}

std::uint32_t Process::own_number(std::uint32_t task) const {
  std::uint32_t own = task == 0 ? static_cast<std::uint32_t>(pid_) : task;
  std::istringstream status(read_file(fmt::format("task/{}/status", own).c_str()));
  std::string line;
  while (std::getline(status, line)) {
    if (!line.starts_with("NSpid:")) continue;
    std::istringstream numbers(line.substr(6));
    while (numbers >> own) {
    }
  }
  return own;
}

std::map<std::uint32_t, Task> Process::tasks() const {
  std::map<std::uint32_t, Task> found;
  for (const auto id : numbers_in<std::uint32_t>(open_file("task", O_RDONLY | O_DIRECTORY))) {
    if (auto task = task_in(read_file(fmt::format("task/{}/stat", id).c_str()))) {
      found.emplace(id, std::move(*task));
    }
  }
  return found;
}

std::vector<Mapping> Process::mappings() const {
  const int file = open_file("maps", O_RDONLY);
  if (file < 0 && (errno == EACCES || errno == EPERM)) throw_not_permitted();
  std::vector<Mapping> found;
  std::istringstream lines(file < 0 ? "" : read_and_close(file));
  std::string line;
  while (std::getline(lines, line)) {
    if (auto mapping = mapping_in(line)) found.push_back(std::move(*mapping));
  }
  if (found.empty()) {
    throw Error(
        fmt::format("{} has no memory to look into: it is about to end, or it is the kernel's own",
                    describe()));
  }
  return found;
}

int Process::open_memory() const {
  const int memory = open_file("mem", O_RDONLY);
  if (memory >= 0) return memory;
  if (errno == EACCES || errno == EPERM) throw_not_permitted();
  throw_ended();
}

void Process::throw_ended() const {
  throw Error(fmt::format("process {} has ended", pid_));
}

void Process::throw_not_permitted() const {
  struct stat entry = {};
  fstat(folder_, &entry);
  if (entry.st_uid != geteuid()) {
    throw NotPermitted(
        fmt::format("not permitted to look into {} of user {}: only that user and root may",
                    describe(), user_name(entry.st_uid)));
  }
  int scope = 0;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> scope;
  if (scope > 0) {
    throw NotPermitted(fmt::format(
        "not permitted to look into {}: on this system (kernel.yama.ptrace_scope is {}) {}",
        describe(), scope, scope < 3 ? "only root may" : "nobody may"));
  }
  throw NotPermitted(
      fmt::format("not permitted to look into {}: it does not allow it (see prctl(2), "
                  "PR_SET_DUMPABLE), or the system doesn't; root may",
                  describe()));
}

std::vector<int> all_pids() {
  return numbers_in<int>(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace look
