// How much memory the calling thread takes by new, at most at one time.
#pragma once

#include <cstddef>

namespace tests {

/// Counts from its construction on, in its thread; one at a time.
class CountedMemory {
 public:
  CountedMemory();
  /// The most bytes that there were at one time, over those at the beginning.
  std::size_t most() const;
};

}  // namespace tests
