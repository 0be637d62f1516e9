#include "pickle/counted_memory.h"

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace tests {

namespace {

// Memory that another thread had may be given back in this one, so that the sum may fall below 0.
thread_local std::ptrdiff_t now = 0;
thread_local std::ptrdiff_t peak = 0;

}  // namespace

CountedMemory::CountedMemory() {
  now = 0;
  peak = 0;
}

std::size_t CountedMemory::most() const {
  return static_cast<std::size_t>(peak);
}

}  // namespace tests

void* operator new(std::size_t size) {
  void* const memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  tests::now += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  tests::peak = std::max(tests::peak, tests::now);
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  tests::now -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
