// From an exception that leaves a thread to the excepthook.
#pragma once

#include <exception>

#include "tutti/threading/thread.h"

namespace tutti::inline TUTTI_ABI::threading {

/// Calls the excepthook for the exception that is being handled in `thread`. What the hook itself
/// throws is reported on stderr.
void report_exception(std::exception_ptr exception, Thread thread) noexcept;

}  // namespace tutti::inline TUTTI_ABI::threading
