// Which locks each thread holds, since when, and where it took them; known while locks are watched
// (runtime/settings.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "platform/stack.h"
#include "runtime/self.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::sync {

using runtime::ThreadId;
using runtime::WaitKind;

using Stack = platform::CallStack;

struct Held {
  const void* lock = nullptr;
  WaitKind kind = WaitKind::none;
  /// When it was taken, in monotonic nanoseconds; of an RLock, the outermost level.
  std::int64_t since = 0;
  Stack stack;
};

/// The calling thread has taken `lock` as its owner.
void note_taken(const runtime::Self& self, WaitKind kind, const void* lock) noexcept;
/// `owner` holds it no more, whoever has released it.
void note_released(ThreadId owner, const void* lock) noexcept;

/// What is known about a lock that `owner` holds; nothing if it has given it back meanwhile, or
/// locks are not watched. Any thread may ask, about any, also one that is no more: what a thread
/// holds at its end, it holds.
std::optional<Held> held_by(ThreadId owner, const void* lock) noexcept;
/// All that a thread holds, longest first.
std::vector<Held> all_held_by(const runtime::Self& self);

/// Sets it up for forks; called by what must come after it in one.
void prepare_held_locks() noexcept;

}  // namespace tutti::inline TUTTI_ABI::sync
