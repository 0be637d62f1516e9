// threading::excepthook: what happens to an exception that leaves a thread's target.
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "tutti/threading/thread.h"

namespace tutti::inline TUTTI_ABI::threading {

struct ExceptHookArgs {
  /// Readable name of the exception's type, such as "std::runtime_error".
  std::string exc_type;
  std::exception_ptr exc_value;
  /// The thread it left; none if that is not known any more.
  std::optional<Thread> thread;

  /// The exception's what(), or "" if it is no std::exception.
  std::string what() const;
};

using ExceptHook = std::function<void(const ExceptHookArgs&)>;

/// Sets what is called, in the failing thread, for each exception that leaves a thread's target;
/// returns what was set before. An empty hook stands for default_excepthook. SystemExit, which ends
/// a thread silently, never comes here. If the hook itself throws, that is reported on stderr.
/// Python counterpart: assigning threading.excepthook.
ExceptHook set_excepthook(ExceptHook hook);

/// Calls the hook in force.
void excepthook(const ExceptHookArgs& args);

/// Prints the thread's name, the exception's type and its what() to stderr.
/// Python counterpart: threading.__excepthook__.
void default_excepthook(const ExceptHookArgs& args);

}  // namespace tutti::inline TUTTI_ABI::threading
