// Which step has last touched each object, in the execution under way.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "explore/schedule.h"
#include "platform/explore/numbering.h"

namespace tutti::inline TUTTI_ABI::explore {

class Touched {
 public:
  static constexpr std::uint32_t no_event = ~std::uint32_t{0};

  /// What a step that writes to an object has found at its gate.
  enum class Found : std::uint8_t { open, shut, unknown };
  struct Write {
    std::uint32_t event;
    Found found;
  };

  struct Object {
    /// In order.
    std::vector<Write> writes;
    /// Of an object that has been operated on through a gate.
    platform::Gate gate = nullptr;
    /// Who has read it since the last write, and in which step last.
    Threads readers = 0;
    std::array<std::uint32_t, platform::exploring::most_threads> last_read;

    std::uint32_t last_write() const { return writes.empty() ? no_event : writes.back().event; }
  };

  void clear() noexcept { numbering_.clear(); }

  /// Objects are numbered as they come up. 0 for null.
  unsigned number_of(const void* address) { return address == nullptr ? 0 : index_of(address) + 1; }

  Object& find(const void* address) { return objects_[index_of(address)]; }

  void note(const void* address, unsigned thread, std::uint32_t event, platform::Access access,
            Found found) {
    Object& object = find(address);
    if (access == platform::Access::write) {
      object.writes.push_back({event, found});
      object.readers = 0;
    } else {
      object.readers |= platform::exploring::only(thread);
      object.last_read[thread] = event;
    }
  }

 private:
  std::uint32_t index_of(const void* address) {
    const std::uint32_t known = numbering_.count();
    const std::uint32_t index = numbering_.number_of(reinterpret_cast<std::uintptr_t>(address));
    if (index < known) return index;
    if (index == objects_.size()) objects_.emplace_back();
    Object& object = objects_[index];
    object.writes.clear();
    object.gate = nullptr;
    object.readers = 0;
    return index;
  }

  platform::exploring::Numbering numbering_;
  std::vector<Object> objects_;
};

}  // namespace tutti::inline TUTTI_ABI::explore
