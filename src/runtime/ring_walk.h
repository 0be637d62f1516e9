// Following waits until they come back to where they began.
#pragma once

#include <optional>
#include <vector>

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// The ring to which `thread` belongs, beginning with it; empty if there is none. `read(thread)` is
/// a thread's wait, as a std::optional of a Link or more; nothing if it does not wait.
///
/// Each of the threads has one edge at most, so a walk either ends or runs into a circle. One that
/// the first thread does not belong to is the business of those who do: it is noticed by a second
/// walker at half the speed (Floyd's tortoise), which here looks at what is in the list already.
template <typename AnyLink, typename Read>
std::vector<AnyLink> walk_ring(ThreadId thread, Read read) {
  std::vector<AnyLink> path;
  ThreadId next = thread;
  do {
    std::optional<AnyLink> link = read(next);
    if (!link || link->holder == 0 || path.size() == last_slot()) return {};
    next = link->holder;
    path.push_back(std::move(*link));
    if (path[path.size() / 2].thread == next && next != thread) return {};
  } while (next != thread);
  return path;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
