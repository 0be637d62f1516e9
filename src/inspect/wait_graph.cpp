// Each thread waits for at most one other, so whoever follows the waits from a thread comes to one
// that waits for nobody, or into a ring.
#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "tutti/inspect.h"

namespace tutti::inline TUTTI_ABI::inspect {

namespace {

using Ring = std::vector<std::uint64_t>;

std::vector<Ring> rings_of(const std::vector<WaitGraph::Wait>& waits) {
  std::unordered_map<std::uint64_t, std::uint64_t> next;
  for (const WaitGraph::Wait& wait : waits) next.emplace(wait.from, wait.to);
  std::vector<Ring> rings;
  // From which thread each one was come to first.
  std::unordered_map<std::uint64_t, std::uint64_t> seen_from;
  for (const WaitGraph::Wait& wait : waits) {
    std::uint64_t at = wait.from;
    while (next.count(at) != 0 && seen_from.emplace(at, wait.from).second) at = next[at];
    const auto before = seen_from.find(at);
    if (before == seen_from.end() || before->second != wait.from) continue;
    // This walk has come to where it has been itself, and nobody else before.
    Ring ring;
    const std::uint64_t first = at;
    do {
      ring.push_back(at);
      at = next[at];
    } while (at != first);
    rings.push_back(std::move(ring));
  }
  return rings;
}

}  // namespace

WaitGraph::WaitGraph(std::vector<ThreadInfo> threads) : threads_(std::move(threads)) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < threads_.size(); ++i) places_.emplace(threads_[i].ident, i);
  for (const ThreadInfo& thread : threads_) {
    if (thread.holder == 0 || find(thread.holder) == nullptr) continue;
    waits_.push_back({thread.ident, thread.holder, thread.state.blocked_on, thread.object_name,
                      thread.time_left == infinity});
  }
  rings_ = rings_of(waits_);
}

const ThreadInfo* WaitGraph::find(std::uint64_t ident) const noexcept {
  const auto found = places_.find(ident);
  return found == places_.end() ? nullptr : &threads_[found->second];
}

bool WaitGraph::is_in_ring(std::uint64_t ident) const noexcept {
  return std::any_of(rings_.begin(), rings_.end(), [&](const Ring& ring) {
    return std::find(ring.begin(), ring.end(), ident) != ring.end();
  });
}

WaitGraph wait_graph() {
  return WaitGraph(threads());
}

}  // namespace tutti::inline TUTTI_ABI::inspect
