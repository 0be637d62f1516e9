// Programs that are executed in a new process, and what this one has got if it is such.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "platform/process.h"

namespace tutti::inline TUTTI_ABI::platform {

// --- in the process that executes ----------------------------------------------------------------

struct Spawn {
  /// What the system's tools show of it.
  std::vector<std::string> arguments;
  /// The message, the registry, and any others. The new process has no other descriptors but the
  /// three standard ones.
  std::vector<int> descriptors;
};
/// Executes this program once more, with nothing on its standard input.
Forked spawn_this_program(const Spawn& spawn);

/// As the user has called it.
std::string invocation_name();

/// A file in memory with these bytes, to be read by another process.
Opened open_message(std::span<const std::byte> bytes) noexcept;
/// The bytes of such a file; empty if it can't be read.
std::vector<std::byte> read_message(const Descriptor& message);

// --- in the new process --------------------------------------------------------------------------

/// What a process that was executed in this way has been given.
struct Inheritance {
  int message = -1;
  int registry = -1;
  /// They follow one another.
  int first_other = -1;
  int others = 0;

  bool was_spawned() const noexcept { return message >= 0; }
};
/// Read from the environment at the first call, before main(), and taken out of it.
const Inheritance& inheritance() noexcept;

/// By its file's owner or capabilities. Such a program, executed once more, would not believe what
/// its environment says, and run main() again.
bool has_more_rights_than_its_user() noexcept;

/// Closed when another program is executed, from now on.
void close_on_exec(int descriptor) noexcept;

/// Calls `function`, which does not return, in place of main(), after all static objects are made,
/// if the process was spawned. Called before main().
void run_instead_of_main(void (*function)()) noexcept;
/// False if it can't be done that way: the library is part of a shared library of the program's.
bool can_run_instead_of_main() noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
