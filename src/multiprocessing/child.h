// What a child process does from its first step of its own to its last.
#pragma once

#include "platform/descriptor.h"
#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Writes out what std::cout, stdout and their like hold.
void flush_standard_streams() noexcept;

/// Has the calling process die with its parent, or says on standard error that it may not.
void tie_to_parent(const platform::Descriptor& childs_end) noexcept;

/// What a child runs.
struct Work {
  void (*run)(void*);
  void* argument;
};

enum class Ending {
  /// Static objects are those of the process it was forked from, and are left alone.
  at_once,
  /// As by a return from main().
  as_a_program,
};

/// Runs `work`, then ends the process, with the exit code that follows from how the work has ended.
/// Before that come its threads and children, as at the end of any program.
[[noreturn]] void run_as_child(Work work, Ending ending) noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
