#include "runtime/names.h"

#include <map>
#include <utility>

#include "runtime/guard.h"
#include "tutti/runtime/remembered.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

using Names = std::map<const void*, std::string>;

// Never destroyed, for objects that outlive static ones. Under leaf_guard.
Names& names() {
  static Names& all = []() -> Names& {
    // Objects that were given up with their execution forget nothing themselves.
    platform::on_restart(
        [] {
          for (const auto& [object, name] : names()) count_forgotten(object);
          names().clear();
        },
        platform::Restart::after_loss);
    return *new Names;
  }();
  return all;
}

}  // namespace

void set_name(const void* object, std::string name) {
  if (name.empty()) return forget_name(object);
  const GuardHolder held(leaf_guard);
  const auto [place, is_first] = names().try_emplace(object);
  place->second = std::move(name);
  if (is_first) count_remembered(object);
}

void forget_name(const void* object) noexcept {
  const GuardHolder held(leaf_guard);
  if (names().erase(object) != 0) count_forgotten(object);
}

std::string name_of(const void* object) {
  const GuardHolder held(leaf_guard);
  const auto found = names().find(object);
  return found == names().end() ? std::string() : found->second;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
