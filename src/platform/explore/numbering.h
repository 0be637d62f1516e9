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
    Entry* entry = &find(address);
    if (entry->generation != generation_) {
      if (2 * addresses_.size() >= table_.size()) {
        grow();
        entry = &find(address);
      }
      *entry = {generation_, count()};
      addresses_.push_back(address);
    }
    return entry->number;
  }

 private:
  // An open hash table whose entries are void when they are of an earlier generation.
  struct Entry {
    std::uint32_t generation = 0;
    std::uint32_t number = 0;
  };

  // The entry of the address, or the void one that it would get.
  Entry& find(std::uintptr_t address) noexcept {
    const std::size_t mask = table_.size() - 1;
    std::size_t at = (address * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (table_[at].generation == generation_ && addresses_[table_[at].number] != address) {
      at = (at + 1) & mask;
    }
    return table_[at];
  }

  void grow() {
    table_.assign(table_.size() * 2, Entry{});
    for (std::uint32_t number = 0; number < count(); ++number) {
      find(addresses_[number]) = {generation_, number};
    }
  }

  std::uint32_t generation_ = 1;
  std::vector<Entry> table_;
  std::vector<std::uintptr_t> addresses_;
};

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
