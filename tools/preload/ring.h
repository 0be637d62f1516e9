// Who waits for whom, read while everybody goes on.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::preload {

/// Who alone can end a wait: the owner of a mutex, the writer of a rwlock, the thread that is
/// joined.
struct Holder {
  /// The kernel's number; 0 if nobody has it, or if it is not known, as with a rwlock's readers.
  pid_t number = 0;
  /// Null if it is no thread of this process that the registry knows.
  runtime::Slot* slot = nullptr;
};

/// Reads the object with care: it may be gone, if the wait is not the calling thread's own.
Holder find_holder(runtime::WaitKind kind, const void* object) noexcept;

/// A thread that waits without limit for another.
struct Link {
  runtime::Slot* thread;
  runtime::WaitRecord record;
  Holder holder;
};

/// The ring of threads that wait for each other to which the owner of `slot` belongs, beginning
/// with it; empty if there is none.
std::vector<Link> find_ring(const runtime::Slot& slot);

/// A number that is the same for each member of a ring, and another for other waits; 0 for none.
std::uint64_t mark_of(const std::vector<Link>& ring) noexcept;

/// The kernel's number of the thread that owns the mutex and has ended; 0 if it lives, or may: in
/// another process. Of a robust mutex the next owner is told by the system.
pid_t find_dead_owner(runtime::WaitKind kind, const void* object) noexcept;

}  // namespace tutti::inline TUTTI_ABI::preload
