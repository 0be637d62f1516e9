// Blocks of sizes 2^n, in one list a size of those that are free. The little that is needed is
// taken from the system in chunks and never given back.
#include "preload/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::preload {

namespace {

// Before each block that is in use.
struct alignas(16) Header {
  std::size_t size;  // A power of 2, without this.
  Header* next;      // In the list of free ones.
};

constexpr std::size_t smallest = 32;
constexpr std::size_t chunk_size = 64 * 1024;

constinit platform::atomic<bool> is_locked{false};
// Both guarded by is_locked.
constinit std::array<Header*, 64> unused{};
constinit char* fresh = nullptr;
constinit std::size_t fresh_size = 0;

class MemoryHolder {
 public:
  MemoryHolder() noexcept { lock_memory(); }
  ~MemoryHolder() { unlock_memory(); }
  MemoryHolder(const MemoryHolder&) = delete;
  MemoryHolder& operator=(const MemoryHolder&) = delete;
};

char* take_fresh(std::size_t size) noexcept {
  if (size > fresh_size) {
    const std::size_t wanted = std::max(size, chunk_size);
    void* pages = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return nullptr;
    fresh = static_cast<char*>(pages);
    fresh_size = wanted;
  }
  char* taken = fresh;
  fresh += size;
  fresh_size -= size;
  return taken;
}

}  // namespace

void lock_memory() noexcept {
  // acquire pairs with the release in unlock_memory().
  while (is_locked.exchange(true, platform::acquire)) platform::yield();
}

void unlock_memory() noexcept {
  is_locked.store(false, platform::release);
}

void* allocate(std::size_t size) noexcept {
  if (size > std::numeric_limits<std::size_t>::max() / 4) return nullptr;
  const std::size_t rounded = std::bit_ceil(std::max(size, smallest));
  const MemoryHolder held;
  Header*& list = unused[static_cast<std::size_t>(std::countr_zero(rounded))];
  Header* block = list;
  if (block != nullptr) {
    list = block->next;
  } else {
    block = reinterpret_cast<Header*>(take_fresh(rounded + sizeof(Header)));
    if (block == nullptr) return nullptr;
    block->size = rounded;
  }
  return block + 1;
}

Header& header_of(void* memory) noexcept {
  return *(static_cast<Header*>(memory) - 1);
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  Header& block = header_of(memory);
  const MemoryHolder held;
  Header*& list = unused[static_cast<std::size_t>(std::countr_zero(block.size))];
  block.next = list;
  list = &block;
}

}  // namespace tutti::inline TUTTI_ABI::preload

// Hidden, so they are found from within this library alone; its C++ runtime is linked in.
extern "C" {

void* malloc(std::size_t size) noexcept {
  void* memory = tutti::preload::allocate(size);
  if (memory == nullptr) errno = ENOMEM;
  return memory;
}

void free(void* memory) noexcept {
  tutti::preload::give_back(memory);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  void* memory = malloc(count * size);
  if (memory != nullptr) std::memset(memory, 0, count * size);
  return memory;
}

void* realloc(void* memory, std::size_t size) noexcept {
  void* larger = malloc(size);
  if (larger != nullptr && memory != nullptr) {
    std::memcpy(larger, memory, std::min(size, tutti::preload::header_of(memory).size));
    free(memory);
  }
  return larger;
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  if (alignment <= alignof(std::max_align_t)) return malloc(size);
  errno = ENOMEM;  // Nothing here asks for it.
  return nullptr;
}

}  // extern "C"
