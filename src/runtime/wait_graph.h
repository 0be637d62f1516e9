// Who waits for whom, read from the registry while everybody goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// A wait for an owner to release it.
constexpr bool is_of_lock(WaitKind kind) noexcept {
  return kind == WaitKind::lock || kind == WaitKind::rlock;
}

/// A thread that waits without limit, as it was when its record was read.
struct Link {
  ThreadId thread = 0;
  WaitRecord record;
  /// The one thread that can end the wait; 0 if that is not known, or not one alone.
  ThreadId holder = 0;
};

/// Finds the one thread that alone can end the wait of `record`, which `waiting` has published: the
/// owner of a lock, a thread that is joined. Returns 0 if there is none, or if the wait is over:
/// the finder has to see to it that the object lives while it is looked at. Allocates nothing.
using FindHolder = ThreadId (*)(ThreadId waiting, const WaitRecord& record) noexcept;

/// By the layer that knows objects of this kind, at the start of the program.
void set_holder_finder(WaitKind kind, FindHolder find) noexcept;

/// The holder, also of a wait with a deadline; 0 if it is not known.
ThreadId find_holder(ThreadId waiting, const WaitRecord& record) noexcept;

/// Releases a lock, for which the calling thread waits, in the name of its owner, who has ended.
using ReleaseForDead = void (*)(ThreadId dead, const WaitRecord& record) noexcept;
void set_releaser_for_dead(ReleaseForDead release) noexcept;
void release_for_dead(ThreadId dead, const WaitRecord& record) noexcept;

/// When and where a thread has taken a lock.
struct Taking {
  std::int64_t since = 0;
  platform::CallStack stack;
};
/// Tells it of a lock that `owner` holds; nothing if that is not known.
using FindTaking = std::optional<Taking> (*)(ThreadId owner, const void* lock) noexcept;
/// By the layer that knows, at the start of the program.
void set_taking_finder(FindTaking find) noexcept;
std::optional<Taking> find_taking(ThreadId owner, const void* lock) noexcept;

/// The wait of a living thread; nothing if it does not wait, has a deadline, or is woken already.
std::optional<Link> read_link(ThreadId thread) noexcept;

/// True if nothing has changed: the thread waits as it did, and for the same holder. Then it has
/// done so all the time.
bool still_holds(const Link& link) noexcept;

/// The ring of threads that wait for each other to which `thread` belongs, beginning with it; each
/// is the holder of what the one before waits for, and the first of what the last waits for. Empty
/// if there is none. A ring, once closed, stays.
std::vector<Link> find_ring(ThreadId thread);

/// All threads of this process, if each of them waits without limit and nobody is left to wake any
/// of them: no thread that tutti does not know, and no handler of a signal. Empty otherwise.
std::vector<Link> find_stuck_process();

}  // namespace tutti::inline TUTTI_ABI::runtime
