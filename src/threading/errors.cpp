#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

namespace {

std::string with_thread(std::string text) {
  return text.append(" (in ").append(runtime::describe_calling_thread()).append(")");
}

}  // namespace

void throw_misuse(std::string_view what, runtime::WaitKind kind, const void* object,
                  std::string_view why) {
  std::string text = "cannot ";
  text.append(what).append(" ").append(runtime::describe(kind, object)).append(": ").append(why);
  throw RuntimeError(with_thread(text));
}

void throw_bad_value(std::string_view what) {
  throw ValueError(with_thread(std::string(what)));
}

}  // namespace tutti::inline TUTTI_ABI::threading
