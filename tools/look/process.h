// What /proc tells of a process. It neither stops nor disturbs it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace look {

/// A kernel thread.
struct Task {
  std::string name;
  /// As ps(1) has it: R running, S asleep, D in the disk, T stopped, t traced, Z ended.
  char state = '?';
  double cpu_seconds = 0;
};

struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint64_t inode = 0;
  std::string path;
};

/// Holds on to one process: once that has ended, it is not mixed up with another one that has been
/// given its number. Everything throws Error if the process is not there any more, or can't be
/// looked into.
class Process {
 public:
  explicit Process(int pid);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int pid() const noexcept { return pid_; }
  /// The file name that it was started by.
  std::string program() const;
  /// "process 12 (name)".
  std::string describe() const;
  /// The number of one of its tasks as the process sees it itself, in its own namespace of numbers;
  /// the process's own by default.
  std::uint32_t own_number(std::uint32_t task = 0) const;
  /// By number. Those that end meanwhile are left out.
  std::map<std::uint32_t, Task> tasks() const;
  std::vector<Mapping> mappings() const;
  /// A descriptor of its memory, for reading; the caller closes it.
  int open_memory() const;
  /// Throws Error: it has ended.
  [[noreturn]] void throw_ended() const;

 private:
  int open_file(const char* path, int flags) const;
  /// Empty if the file is not there, or not to be read.
  std::string read_file(const char* path) const;
  [[noreturn]] void throw_not_permitted() const;

  int pid_;
  int folder_;
};

/// The processes of this machine, in order.
std::vector<int> all_pids();

}  // namespace look
