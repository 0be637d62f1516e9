// Holding a process still for a moment, so that its stacks can be read.
#pragma once

#include <cstdint>
#include <map>

#include "look/process.h"

namespace look {

/// Stops all threads of the process for as long as it lives. They go on, or stay stopped if they
/// were, when it goes; and also if this program is killed meanwhile, for the kernel sees to that.
/// To be used by one thread.
class Attached {
 public:
  /// Throws NotPermitted if the system says no, and Error if the process is gone. A thread that
  /// does not stop, because it is in the middle of the kernel, is left out.
  explicit Attached(const Process& process);
  ~Attached();
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

  bool holds(std::uint32_t task) const { return stopped_.count(task) != 0; }

 private:
  bool seize(const Process& process, std::uint32_t task);
  void await_stop(std::uint32_t task);
  void detach() noexcept;

  /// A signal that came to the thread just then, to be given to it when it goes on; 0 for none.
  std::map<std::uint32_t, int> stopped_;
};

}  // namespace look
