// WorkerLost: a process that worked for this one has been killed.
#pragma once

#include <cstdint>
#include <string>

#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// The process that had been given some work has ended before that was done: killed by a signal,
/// by the kernel for want of memory, or by std::exit() in the work itself. What it had done before
/// is not lost. No Python counterpart: Python's pool waits for ever.
class WorkerLost : public RuntimeError {
 public:
  explicit WorkerLost(const std::string& what, std::uint32_t pid = 0, int exitcode = 0)
      : RuntimeError(what), pid_(pid), exitcode_(exitcode) {}
  /// The process's number; 0 if it is not told.
  std::uint32_t pid() const noexcept { return pid_; }
  /// As Process::exitcode(): minus the number of the signal that killed it.
  int exitcode() const noexcept { return exitcode_; }

 private:
  std::uint32_t pid_;
  int exitcode_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
