// Memory that runs out at a moment of the test's choice.
#pragma once

namespace tests {

enum class Shortage { for_once, for_good };

/// While it lives, and until end(), operator new of all threads fails after so many successes. One
/// at a time.
class FailingMemory {
 public:
  FailingMemory(int successes, Shortage shortage);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  /// Whether an allocation has failed.
  bool end();
};

}  // namespace tests
