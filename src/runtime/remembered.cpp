#include "tutti/runtime/remembered.h"

#include "runtime/forgetting.h"
#include "runtime/names.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {
constinit std::array<platform::atomic<Forget>, 3> others{};
}  // namespace

constinit std::array<platform::hint<std::uint32_t>, 256> remembered{};

void at_forgetting(Forget forgets) noexcept {
  for (platform::atomic<Forget>& place : others) {
    Forget none = nullptr;
    if (place.compare_exchange_strong(none, forgets, platform::release, platform::relaxed)) return;
  }
}

void forget_slow(const void* object) noexcept {
  forget_name(object);
  for (const platform::atomic<Forget>& place : others) {
    if (const Forget forgets = place.load(platform::acquire); forgets != nullptr) forgets(object);
  }
}

}  // namespace tutti::inline TUTTI_ABI::runtime
