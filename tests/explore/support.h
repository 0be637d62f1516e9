// What tests of the explorer share.
#pragma once

#include <vector>

#include "tutti/explore.h"
#include "tutti/threading.h"

namespace tests {

/// For checks that are meant to fail.
inline tutti::explore::Options quietly(tutti::explore::Options options = {}) {
  options.print = false;
  return options;
}

/// Runs each function in a thread of its own, and joins them.
template <typename... Functions>
void together(Functions... functions) {
  std::vector<tutti::threading::Thread> threads;
  threads.reserve(sizeof...(functions));
  (threads.emplace_back(functions), ...);
  for (auto& thread : threads) thread.start();
  for (auto& thread : threads) thread.join();
}

}  // namespace tests
