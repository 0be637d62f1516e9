#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

void throw_misuse(std::string_view what, runtime::WaitKind kind, const void* object,
                  std::string_view why) {
  throw RuntimeError("cannot " + std::string(what) + " " + runtime::describe(kind, object) + ": " +
                     std::string(why) + " (in " + runtime::describe_calling_thread() + ")");
}

void throw_bad_value(std::string_view what) {
  throw ValueError(std::string(what) + " (in " + runtime::describe_calling_thread() + ")");
}

}  // namespace tutti::inline TUTTI_ABI::threading
