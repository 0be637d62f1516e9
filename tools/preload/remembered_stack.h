// The calls that the calling thread is in, found again cheaply if they are the same as last time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "platform/stack.h"

namespace tutti::inline TUTTI_ABI::preload {

/// Remembers one stack, with the places in memory where its return addresses lie. As long as each
/// is still in its place, the stack is the same: looking takes nanoseconds, unwinding microseconds.
/// A thread that waits again and again in one loop unwinds once. All-zero = none.
class RememberedStack {
 public:
  /// The stack from the caller of the function whose frame this is outwards, without the calls of
  /// this library. Call it with __builtin_frame_address(0) from a function that is not inlined.
  platform::CallStack calls_from(const void* frame) noexcept;

  static constexpr std::size_t deepest = platform::CallStack::deepest;

 private:
  bool is_still_there(const std::uintptr_t* innermost) const noexcept;
  void unwind(const std::uintptr_t* innermost) noexcept;

  std::array<std::uintptr_t, deepest> calls_;
  std::array<const std::uintptr_t*, deepest> places_;
  std::size_t depth_;
  /// How many of them, from the first, are this library's own.
  std::size_t own_;
  bool has_places_;
};

}  // namespace tutti::inline TUTTI_ABI::preload
