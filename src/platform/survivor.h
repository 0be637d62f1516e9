// A process that is there when a program has been killed, and does what is left to be done.
//
// It is the same program, executed once more, which comes to its survivor's part before the
// program's own static objects are made: so it holds nothing of the program's memory, however
// large that is or gets.
#pragma once

#include <cstddef>

#include "platform/descriptor.h"

namespace tutti::inline TUTTI_ABI::platform {

/// Zeroed pages that children share, and a survivor.
struct InheritedPages {
  /// Null when there is no memory.
  void* begin = nullptr;
  std::size_t size = 0;
  /// The file in memory that they are. Only a survivor that is started needs it.
  Descriptor file;
};
InheritedPages map_inherited(std::size_t size) noexcept;
void unmap_inherited(void* pages, std::size_t size) noexcept;

/// What is to be done in the end: async-signal-safe code only.
using LastWill = void (*)(void* pages);

struct Survivor {
  /// 0, or the errno value that says why there is none.
  int error = 0;
  /// As long as any process has this descriptor open, which children inherit over fork(), not over
  /// exec, the survivor waits.
  int lifeline = -1;
};

/// Starts a process that waits for the end of all who hold its lifeline, calls
/// `last_will(pages.begin)`, and ends. It is no child of the caller's, no signal but SIGKILL
/// reaches it, and of the caller's descriptors it keeps standard error alone.
///
/// Where the program can't be executed once more (the library came with a plugin, the program has
/// more rights than its user, /proc is not there) the survivor is a forked copy, which holds the
/// memory that the program has now.
Survivor start_survivor(LastWill last_will, const InheritedPages& pages) noexcept;

/// In a process that was executed to be a survivor it does so, and does not return. To be called
/// by an initialiser that comes before the program's, with the `last_will` of start_survivor().
void survive_if_told(LastWill last_will) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
