#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

void throw_misuse(std::string_view what, runtime::WaitKind kind, const void* object,
                  std::string_view why) {
  std::string text = "cannot ";
  text.append(what).append(" ").append(runtime::describe(kind, object)).append(": ").append(why);
  throw RuntimeError(text + runtime::in_calling_thread());
}

void throw_bad_value(std::string_view what) {
  throw ValueError(std::string(what) + runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::threading
