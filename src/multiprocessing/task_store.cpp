#include "multiprocessing/task_store.h"

#include <algorithm>
#include <bit>

namespace tutti::inline TUTTI_ABI::multiprocessing {

std::size_t TaskStore::rank_of(std::size_t size) noexcept {
  return static_cast<std::size_t>(std::bit_width(std::max(size, smallest) - 1));
}

std::optional<std::size_t> TaskStore::allocate(std::size_t size) {
  if (size > size_) return std::nullopt;
  Rank& rank = ranks_[rank_of(size)];
  if (!rank.free.empty()) {
    const std::size_t place = rank.free.back();
    rank.free.pop_back();
    return place;
  }
  const std::size_t block = std::size_t{1} << rank_of(size);
  if (block > size_ - end_) return std::nullopt;
  if (rank.free.capacity() == rank.blocks) rank.free.reserve(2 * rank.blocks + 1);
  ++rank.blocks;
  const std::size_t place = end_;
  end_ += block;
  return place;
}

void TaskStore::free(std::size_t place, std::size_t size) noexcept {
  ranks_[rank_of(size)].free.push_back(place);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
