#include "runtime/describe.h"

#include <cstdint>
#include <cstdio>

#include "platform/stack.h"
#include "runtime/names.h"
#include "runtime/self.h"

namespace tutti::inline TUTTI_ABI::runtime {

std::string describe(WaitKind kind, const void* object) {
  return describe(to_string(kind), object);
}

std::string describe(const char* kind, const void* object) {
  return describe(kind, object, name_or_variable(object));
}

std::string name_or_variable(const void* object) {
  const std::string given = name_of(object);
  return given.empty() ? platform::variable_name(object) : given;
}

std::string describe_quickly(const char* kind, const void* object) {
  return describe(kind, object, name_of(object));
}

std::string describe(const char* kind, const void* object, std::string_view name) {
  if (!name.empty()) return std::string(kind) + " '" + std::string(name) + "'";
  char address[32];
  std::snprintf(address, sizeof address, "%p", object);
  return std::string(kind) + " at " + address;
}

std::string in_seconds(const char* before, double seconds) {
  char text[48];
  std::snprintf(text, sizeof text, "%s%.3f s", before, seconds);
  return text;
}

std::string describe_calling_thread() {
  const Self* self = registered_self();
  if (self == nullptr) return "a thread that is not known to tutti";
  return "thread '" + self->slot->name.get() + "'";
}

std::string in_calling_thread() {
  return " (in " + describe_calling_thread() + ")";
}

}  // namespace tutti::inline TUTTI_ABI::runtime
