// tutti::atomic: std::atomic, which the exploring flavour watches.
#pragma once

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI {

/// std::atomic<T> itself. Under explore::check(), the same interface with every access a scheduling
/// point, for values of at most 8 bytes.
template <typename T>
using atomic = platform::user_atomic<T>;

/// std::atomic_thread_fence, likewise.
inline void fence(platform::memory_order order) noexcept {
  platform::fence(order);
}

}  // namespace tutti::inline TUTTI_ABI
