#include "explore/names.h"

#include <algorithm>

#include "platform/stack.h"
#include "runtime/self.h"
#include "threading/thread_control.h"

namespace tutti::inline TUTTI_ABI::explore {

Names& names() {
  static Names& only_one = *new Names;
  return only_one;
}

void Names::restart() {
  if (!given_.empty()) given_.clear();
  if (!count_of_kind_.empty()) count_of_kind_.clear();
  if (!threads_.empty()) threads_.clear();
}

namespace {

// "a::(anonymous namespace)::b" → "b". Of templates' arguments nothing is cut.
std::string without_namespaces(const std::string& name) {
  const std::size_t end = std::min(name.find('<'), name.size());
  const std::size_t colon = name.substr(0, end).rfind("::");
  return colon == name.npos ? name : name.substr(colon + 2);
}

}  // namespace

std::string Names::of_object(const void* object, const char* operation) {
  if (object == nullptr) return "";
  const auto given = given_.find(object);
  if (given != given_.end()) return given->second;
  std::string kind = operation;
  const std::size_t dot = kind.find('.');
  if (dot != kind.npos) {
    kind.resize(dot);
  } else {
    kind = kind == "read" || kind == "write" ? "shared" : "atomic";
  }
  std::string name;
  if (kind == "Thread") {
    name = static_cast<const threading::ThreadControl*>(object)->name();
  } else if (name = without_namespaces(platform::variable_name(object)); name.empty()) {
    name = kind + " " + std::to_string(++count_of_kind_[kind]);
  }
  return given_[object] = name;
}

std::string Names::of_thread(unsigned thread) {
  const auto known = threads_.find(thread);
  if (known != threads_.end()) return known->second;
  auto& scheduler = platform::exploring::scheduler();
  const auto* self = static_cast<const runtime::Self*>(scheduler.strand(thread).current.self);
  if (self == nullptr) {
    // Before its first step, or after its last.
    return thread == 0 ? "MainThread" : "thread " + std::to_string(thread);
  }
  return threads_[thread] = self->slot->name.get();
}

}  // namespace tutti::inline TUTTI_ABI::explore
