// The graph of the order in which locks are taken.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sync/held.h"

namespace tutti::inline TUTTI_ABI::sync {

/// How a lock was taken while another was held, the first time.
struct OrderEdge {
  std::string thread;
  Held held;
  const void* taken = nullptr;
  WaitKind kind = WaitKind::none;
  /// Where it was about to be taken.
  Stack stack;
  /// The locks that were held besides, each time; sorted.
  std::vector<const void*> gates;
};

/// Locks are known by their addresses; a lock without edges is not known at all. Whoever uses it
/// has a guard.
class LockGraph {
 public:
  static constexpr std::size_t most_edges = 16'384;

  /// True if a thread that holds `all_held` and takes `taken` tells nothing new.
  bool knows(const std::vector<Held>& all_held, const void* taken);
  /// Adds an edge, unless it is allowed, or there with no more gates than that. Returns the
  /// shortest cycle of which the edges have no gate in common, `edge` first; empty if there is
  /// none.
  std::vector<OrderEdge> add(OrderEdge edge);
  void allow(const void* first, const void* second);
  void forget(const void* lock);

 private:
  struct Node {
    std::map<const void*, OrderEdge> next;
    std::set<const void*> previous;
    /// When it was last heard of, by `clock_`.
    std::uint64_t heard = 0;
  };

  Node& node(const void* lock);
  const OrderEdge* find(const void* held, const void* taken) const;
  std::vector<OrderEdge> cycle_through(const OrderEdge& edge) const;
  void remove_edge(const void* held, const void* taken);
  void remove_edges_of(const void* lock);
  void remove_if_bare(const void* lock);
  void make_room();

  std::map<const void*, Node> nodes_;
  std::size_t edges_ = 0;
  std::uint64_t clock_ = 0;
  std::set<std::pair<const void*, const void*>> allowed_;
};

}  // namespace tutti::inline TUTTI_ABI::sync
