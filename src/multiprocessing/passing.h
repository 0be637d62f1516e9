// Descriptors that came with a message, until somebody takes them.
#pragma once

#include <utility>
#include <vector>

#include "platform/stream.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

struct Arrived {
  Arrived() = default;
  ~Arrived() {
    for (const int descriptor : descriptors) platform::close_descriptor(descriptor);
  }
  Arrived(const Arrived&) = delete;
  Arrived& operator=(const Arrived&) = delete;

  /// The last one is the caller's.
  int take() {
    const int taken = descriptors.back();
    descriptors.pop_back();
    return taken;
  }

  std::vector<int> descriptors;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
