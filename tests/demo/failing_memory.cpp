#include "demo/failing_memory.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace tests {

namespace {

constexpr int plenty = std::numeric_limits<int>::max();

/// Successes that are left; below 0 once one has failed.
std::atomic<int> left = plenty;
std::atomic<Shortage> kind;

bool fails() {
  int now = left;
  while (now != plenty && now >= 0) {
    if (left.compare_exchange_weak(now, now - 1)) return now == 0;
  }
  return now < 0 && kind == Shortage::for_good;
}

}  // namespace

FailingMemory::FailingMemory(int successes, Shortage shortage) {
  kind = shortage;
  left = successes;
}

FailingMemory::~FailingMemory() {
  left = plenty;
}

bool FailingMemory::end() {
  return left.exchange(plenty) < 0;
}

}  // namespace tests

void* operator new(std::size_t size) {
  void* const memory = tests::fails() ? nullptr : std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
