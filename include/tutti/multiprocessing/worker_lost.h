// WorkerLost: a process that worked for this one has been killed.
#pragma once

#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// The process that had been given some work has ended before that was done: killed by a signal,
/// by the kernel for want of memory, or by std::exit() in the work itself. What it had done before
/// is not lost. No Python counterpart: Python's pool waits for ever.
class WorkerLost : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
