#include "tutti/threading/named.h"

#include <utility>

#include "runtime/names.h"

namespace tutti::inline TUTTI_ABI::threading {

Named::Named(std::string name) {
  set_name(std::move(name));
}

std::string Named::name() const {
  return runtime::name_of(this);
}

void Named::set_name(std::string name) {
  runtime::set_name(this, std::move(name));
}

}  // namespace tutti::inline TUTTI_ABI::threading
