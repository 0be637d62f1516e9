// All that is known of a program's threads at one moment.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <tutti/inspect.h>

#include "look/process.h"

namespace look {

struct Snapshot {
  int pid = 0;
  std::string program;
  /// Stopped by a signal or a debugger.
  bool is_stopped = false;
  /// The threads that tutti knows, in the order of their slots.
  tutti::inspect::WaitGraph graph{{}};
  /// All threads, by the kernel's number.
  std::map<std::uint32_t, Task> tasks;
  /// Holders of locks that are threads of other processes: ident to name.
  std::map<std::uint64_t, std::string> elsewhere;

  /// Names that more than one of the threads has.
  std::set<std::string> shared_names;

  /// The kernel's view of a thread that tutti knows; null if that has ended or not begun.
  const Task* task_of(const tutti::inspect::ThreadInfo& thread) const;
};

/// Throws Error, also if the program has no tutti threads to show.
Snapshot take_snapshot(const Process& process);

/// Of all programs but this one; without those that have no tutti threads, or can't be looked into.
std::vector<Snapshot> all_snapshots();

}  // namespace look
