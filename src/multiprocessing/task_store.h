// Room for the bytes of tasks: given and taken back by the parent alone, so that no worker's death
// can leave it in disorder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Gives out blocks of an area of `size` bytes. Their sizes are powers of two, each with a list of
/// those that are free. What was touched once stays memory, so the blocks that were used last are
/// given out first.
class TaskStore {
 public:
  explicit TaskStore(std::size_t size) noexcept : size_(size) {}

  /// Where the block begins; none if there is no room.
  std::optional<std::size_t> allocate(std::size_t size);
  /// Throws nothing: there is room for the block in its list since it was given out.
  void free(std::size_t place, std::size_t size) noexcept;

 private:
  static constexpr std::size_t smallest = 64;
  static std::size_t rank_of(std::size_t size) noexcept;

  struct Rank {
    std::vector<std::size_t> free;
    std::size_t blocks = 0;
  };

  std::size_t size_;
  /// From here on nothing was given out yet.
  std::size_t end_ = 0;
  std::array<Rank, 64> ranks_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
