// What has a name that messages call it by.
#pragma once

#include <string>
#include <type_traits>

#include "tutti/runtime/remembered.h"

namespace tutti::inline TUTTI_ABI::threading {

/// Gives an object a name without room for it: errors, reports and tables then say "Lock
/// 'accounts'" where they would give an address.
class Named {
 public:
  /// Empty if it has none.
  std::string name() const;
  void set_name(std::string name);

 protected:
  constexpr Named() noexcept = default;
  explicit Named(std::string name);
  constexpr ~Named() {
    if (!std::is_constant_evaluated()) runtime::forget(this);
  }
};

}  // namespace tutti::inline TUTTI_ABI::threading
