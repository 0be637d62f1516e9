// What a child process does from its first step of its own to its last.
#pragma once

#include <string>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Writes out what std::cout, stdout and their like hold.
void flush_standard_streams() noexcept;

/// What a child runs.
struct Work {
  void (*run)(void*);
  void* argument;
  /// The process's name, for messages; asked when there is one to print.
  std::string (*name)(void*);
};

/// Runs `work`, then ends the process, with the exit code that follows from how it has ended. First
/// come its threads and children, as at the end of any program; nothing of the parent's is
/// destroyed.
[[noreturn]] void run_as_child(Work work) noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
