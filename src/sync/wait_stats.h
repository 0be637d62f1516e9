// How often and how long threads have waited for locks and queues, and who longest.
//
// Counted when such a wait has ended, by the thread that has waited: what does not wait costs
// nothing. Not in explored programs, in which time is none.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/guard.h"
#include "runtime/self.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::sync {

/// Waits of one kind for one object.
struct WaitStats {
  const void* object = nullptr;
  runtime::WaitKind kind = runtime::WaitKind::none;
  std::uint64_t waits = 0;
  /// How many of them ended by a hand-over.
  std::uint64_t hand_offs = 0;
  /// In nanoseconds.
  std::int64_t longest = 0;
  /// The name of the thread that waited so long.
  std::array<char, runtime::SharedText::longest + 2> longest_by{};
};

/// A thread is about to wait for something of which more than the wait is to be known meanwhile.
void note_wait_begins(runtime::WaitKind kind, const void* object) noexcept;
/// A thread has waited in a queue since `since` (monotonic nanoseconds), in vain or not.
void note_wait(const runtime::Self& self, runtime::WaitKind kind, const void* object,
               std::int64_t since, bool was_handed_over) noexcept;

/// Calls `visit(argument, stats)` for each object of which something is known: those of the longest
/// waits, if there are very many. The object lives as long as the call lasts, which holds a guard
/// that its destructor takes.
void for_each_wait_stats(void (*visit)(void*, const WaitStats&), void* argument);

/// Forgets all.
void reset_wait_stats() noexcept;

/// Sets it up for forks; called by what must come after it in one.
void prepare_wait_stats() noexcept;

}  // namespace tutti::inline TUTTI_ABI::sync
