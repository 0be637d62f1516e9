// Numbers for addresses, in the order in which they come up.
//
// Executions that go the same way use the same numbers, whatever the addresses are in each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform::exploring {

class Numbering {
 public:
  Numbering() : table_(256) {}

  /// Forgets all, in no time.
  void clear() noexcept {
    ++generation_;
    addresses_.clear();
  }

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(addresses_.size()); }

  std::uint32_t number_of(std::uintptr_t address) {
    std::size_t at = place(address);
    while (table_[at].generation == generation_) {
      if (addresses_[table_[at].number] == address) return table_[at].number;
      at = (at + 1) & (table_.size() - 1);
    }
    if (2 * addresses_.size() >= table_.size()) {
      grow();
      at = place(address);
      while (table_[at].generation == generation_) at = (at + 1) & (table_.size() - 1);
    }
    table_[at] = {generation_, count()};
    addresses_.push_back(address);
    return table_[at].number;
  }

 private:
  // An open hash table whose entries are void when they are of an earlier generation.
  struct Entry {
    std::uint32_t generation = 0;
    std::uint32_t number = 0;
  };

  std::size_t place(std::uintptr_t address) const noexcept {
    return (address * 0x9e3779b97f4a7c15u >> 32) & (table_.size() - 1);
  }

  void grow() {
    table_.assign(table_.size() * 2, Entry{});
    for (std::uint32_t number = 0; number < count(); ++number) {
      std::size_t at = place(addresses_[number]);
      while (table_[at].generation == generation_) at = (at + 1) & (table_.size() - 1);
      table_[at] = {generation_, number};
    }
  }

  std::uint32_t generation_ = 1;
  std::vector<Entry> table_;
  std::vector<std::uintptr_t> addresses_;
};

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
