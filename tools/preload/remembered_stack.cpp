#include "preload/remembered_stack.h"

#include <unwind.h>

#include <algorithm>

// Where this library begins and ends in memory; the linker knows.
extern "C" const char __ehdr_start[] __attribute__((visibility("hidden")));
extern "C" const char _end[] __attribute__((visibility("hidden")));

namespace tutti::inline TUTTI_ABI::preload {

namespace {

bool is_own(std::uintptr_t address) noexcept {
  return address >= reinterpret_cast<std::uintptr_t>(__ehdr_start) &&
         address < reinterpret_cast<std::uintptr_t>(_end);
}

struct Unwinding {
  const std::uintptr_t* innermost;
  std::array<std::uintptr_t, RememberedStack::deepest>& calls;
  std::array<const std::uintptr_t*, RememberedStack::deepest>& places;
  std::size_t depth = 0;
  bool has_places = true;
  const std::uintptr_t* frame_begin = nullptr;
};

// The word that holds `address`, in the frame of the function that returns there. x86-64 has it at
// the frame's end, arm64 wherever the function has saved it.
const std::uintptr_t* find_place(const std::uintptr_t* frame_begin, const std::uintptr_t* frame_end,
                                 std::uintptr_t address) noexcept {
  constexpr std::ptrdiff_t farthest = 256;
  if (frame_begin == nullptr || frame_end - frame_begin > farthest) {
    frame_begin = frame_end - 1;
  }
  for (const std::uintptr_t* place = frame_end - 1; place >= frame_begin; --place) {
    if (*place == address) return place;
  }
  return nullptr;
}

_Unwind_Reason_Code add_call(_Unwind_Context* context, void* data) {
  auto& unwinding = *static_cast<Unwinding*>(data);
  const std::uintptr_t address = _Unwind_GetIP(context);
  if (address == 0 || unwinding.depth == RememberedStack::deepest) return _URC_END_OF_STACK;
  // Where the function's frame ended that has called on from here.
  const auto* frame_end = reinterpret_cast<const std::uintptr_t*>(_Unwind_GetCFA(context));
  if (frame_end <= unwinding.innermost) {
    unwinding.frame_begin = frame_end;
    return _URC_NO_REASON;
  }
  const std::uintptr_t* place = find_place(unwinding.frame_begin, frame_end, address);
  unwinding.has_places = unwinding.has_places && place != nullptr;
  unwinding.frame_begin = frame_end;
  unwinding.calls[unwinding.depth] = address;
  unwinding.places[unwinding.depth] = place;
  ++unwinding.depth;
  return _URC_NO_REASON;
}

}  // namespace

platform::CallStack RememberedStack::calls_from(const void* frame) noexcept {
  // A frame begins with the caller's frame pointer and the return address, here and on arm64.
  const auto* innermost = static_cast<const std::uintptr_t*>(frame) + 1;
  if (!is_still_there(innermost)) unwind(innermost);
  platform::CallStack stack;
  stack.depth = depth_ - own_;
  for (std::size_t i = 0; i < stack.depth; ++i) {
    stack.calls[i] = calls_[own_ + i] - 1;  // Return addresses; the calls are before them.
  }
  return stack;
}

// The innermost place comes first: if it is the one in use now, then the others lie in the same
// stack, which is there to be read, and not in one of a coroutine that is gone.
bool RememberedStack::is_still_there(const std::uintptr_t* innermost) const noexcept {
  if (depth_ == 0 || !has_places_ || places_[0] != innermost) return false;
  for (std::size_t i = 0; i < depth_; ++i) {
    if (*places_[i] != calls_[i]) return false;
  }
  return true;
}

void RememberedStack::unwind(const std::uintptr_t* innermost) noexcept {
  Unwinding unwinding{innermost, calls_, places_};
  _Unwind_Backtrace(add_call, &unwinding);
  depth_ = unwinding.depth;
  has_places_ = unwinding.has_places;
  const auto end = calls_.begin() + static_cast<std::ptrdiff_t>(depth_);
  own_ = static_cast<std::size_t>(std::find_if_not(calls_.begin(), end, is_own) - calls_.begin());
}

}  // namespace tutti::inline TUTTI_ABI::preload
