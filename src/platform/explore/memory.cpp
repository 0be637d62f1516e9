#include "platform/explore/memory.h"

#include <pthread.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace tutti::inline TUTTI_ABI::platform::exploring {

#if defined(__SANITIZE_ADDRESS__)

KeptMemory::KeptMemory() noexcept = default;
KeptMemory::~KeptMemory() = default;

#else

namespace {

// A block that was deleted; the list runs through the blocks themselves.
struct Block {
  Block* next;
};
constinit Block* kept = nullptr;

constinit bool is_keeping = false;
// Other kernel threads delete as usual. Not a thread_local flag: explored threads have their own.
constinit pthread_t keeper{};

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  if (!is_keeping || pthread_equal(pthread_self(), keeper) == 0) {
    std::free(memory);
    return;
  }
  // malloc's blocks have room for that, whatever was asked for.
  kept = ::new (memory) Block{kept};
}

}  // namespace

KeptMemory::KeptMemory() noexcept {
  keeper = pthread_self();
  is_keeping = true;
}

KeptMemory::~KeptMemory() {
  is_keeping = false;
  while (kept != nullptr) {
    Block* const block = kept;
    kept = block->next;
    std::free(block);
  }
}

#endif

}  // namespace tutti::inline TUTTI_ABI::platform::exploring

#if !defined(__SANITIZE_ADDRESS__)

// In place of the standard library's, whose operator new takes its memory from malloc as well, and
// whose other forms of operator delete call these. Weak, so that a program may have its own.
__attribute__((weak)) void operator delete(void* memory) noexcept {
  tutti::platform::exploring::give_back(memory);
}
__attribute__((weak)) void operator delete(void* memory, std::size_t /*size*/) noexcept {
  tutti::platform::exploring::give_back(memory);
}
__attribute__((weak)) void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  tutti::platform::exploring::give_back(memory);
}

#endif
