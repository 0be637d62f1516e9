// Which step has last touched each object, in the execution under way.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "explore/schedule.h"

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
    const void* address = nullptr;
    /// In order.
    std::vector<Write> writes;
    /// Of an object that has been operated on through a gate.
    platform::Gate gate = nullptr;

    std::uint32_t last_write() const { return writes.empty() ? no_event : writes.back().event; }
    /// Who has read it since, and in which step last.
    Threads readers = 0;
    std::array<std::uint32_t, platform::exploring::most_threads> last_read;
  };

  Touched() : table_(256) {}

  void clear() noexcept {
    ++generation_;
    used_ = 0;
  }

  /// Objects are numbered as they come up, so that the numbers are the same in each execution,
  /// which addresses need not be. 0 for null.
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
  // An open hash table whose entries are void when they are of an earlier generation.
  struct Entry {
    std::uint32_t generation = 0;
    std::uint32_t index = 0;
  };

  unsigned index_of(const void* address) {
    const std::size_t mask = table_.size() - 1;
    auto at = (reinterpret_cast<std::uintptr_t>(address) * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (table_[at].generation == generation_) {
      if (objects_[table_[at].index].address == address) return table_[at].index;
      at = (at + 1) & mask;
    }
    if (2 * used_ >= table_.size()) {
      grow();
      return index_of(address);
    }
    const auto index = static_cast<std::uint32_t>(used_++);
    table_[at] = {generation_, index};
    if (index == objects_.size()) objects_.emplace_back();
    Object& object = objects_[index];
    object.address = address;
    object.writes.clear();
    object.gate = nullptr;
    object.readers = 0;
    return index;
  }

  void grow() {
    table_.assign(table_.size() * 2, Entry{});
    const std::size_t mask = table_.size() - 1;
    for (std::uint32_t i = 0; i < used_; ++i) {
      auto at =
          (reinterpret_cast<std::uintptr_t>(objects_[i].address) * 0x9e3779b97f4a7c15u >> 32) &
          mask;
      while (table_[at].generation == generation_) at = (at + 1) & mask;
      table_[at] = {generation_, i};
    }
  }

  std::uint32_t generation_ = 1;
  std::size_t used_ = 0;
  std::vector<Entry> table_;
  std::vector<Object> objects_;
};

}  // namespace tutti::inline TUTTI_ABI::explore
