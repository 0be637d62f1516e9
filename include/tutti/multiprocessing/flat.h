// What may lie in memory that processes share.
#pragma once

#include <type_traits>

#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Types that are their own bytes, and mean the same in every process: trivially copyable ones
/// without pointers and references, as far as their members can be seen (pickle/reflection.h).
template <typename T>
concept Flat =
    std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && !std::is_const_v<T> &&
    pickle::packing::flat<T>;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
