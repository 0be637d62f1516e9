#include "threading/settings.h"

#include <algorithm>
#include <string>

#include "threading/errors.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::threading::settings {

namespace {
constinit platform::atomic<std::size_t> size{0};
}

std::size_t stack_size() noexcept {
  return size.load(platform::relaxed);
}

std::size_t set_stack_size(std::size_t bytes) {
  constexpr std::size_t smallest = 32 * 1024;
  if (bytes != 0 && bytes < std::max(smallest, platform::smallest_stack())) {
    throw_bad_value("stack size not valid: " + std::to_string(bytes) + " bytes, at least " +
                    std::to_string(std::max(smallest, platform::smallest_stack())) + " are needed");
  }
  return size.exchange(bytes, platform::relaxed);
}

}  // namespace tutti::inline TUTTI_ABI::threading::settings
