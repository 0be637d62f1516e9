// Files in groups, each of which one task counts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace demo {

using Batch = std::span<const std::filesystem::path>;

/// About `count` batches. Each has to be merged, so they should be few; but more than one a worker,
/// since some take longer than others.
inline std::vector<Batch> in_batches(Batch files, std::size_t count) {
  const std::size_t size = files.size() / count + 1;
  std::vector<Batch> batches;
  for (; !files.empty(); files = files.subspan(batches.back().size())) {
    batches.push_back(files.first(std::min(size, files.size())));
  }
  return batches;
}

}  // namespace demo
