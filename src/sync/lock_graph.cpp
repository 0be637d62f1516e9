#include "sync/lock_graph.h"

#include <algorithm>
#include <iterator>

#include "tutti/runtime/remembered.h"

namespace tutti::inline TUTTI_ABI::sync {

namespace {

using Gates = std::vector<const void*>;

Gates in_common(const Gates& a, const Gates& b) {
  Gates both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

Gates gates_of(const std::vector<Held>& all_held, const void* held) {
  Gates gates;
  for (const Held& other : all_held) {
    if (other.lock != held) gates.push_back(other.lock);
  }
  std::sort(gates.begin(), gates.end());
  return gates;
}

}  // namespace

LockGraph::Node& LockGraph::node(const void* lock) {
  const auto [place, is_new] = nodes_.try_emplace(lock);
  if (is_new) runtime::count_remembered(lock);
  place->second.heard = ++clock_;
  return place->second;
}

const OrderEdge* LockGraph::find(const void* held, const void* taken) const {
  const auto from = nodes_.find(held);
  if (from == nodes_.end()) return nullptr;
  const auto edge = from->second.next.find(taken);
  return edge == from->second.next.end() ? nullptr : &edge->second;
}

bool LockGraph::knows(const std::vector<Held>& all_held, const void* taken) {
  for (const Held& held : all_held) {
    if (allowed_.contains({held.lock, taken})) continue;
    const OrderEdge* const edge = find(held.lock, taken);
    if (edge == nullptr) return false;
    const Gates gates = gates_of(all_held, held.lock);
    if (in_common(edge->gates, gates) != edge->gates) return false;
    node(held.lock);  // It was heard of.
  }
  return true;
}

std::vector<OrderEdge> LockGraph::add(OrderEdge edge) {
  const void* const held = edge.held.lock;
  const void* const taken = edge.taken;
  if (allowed_.contains({held, taken})) return {};
  if (edges_ >= most_edges) make_room();
  std::sort(edge.gates.begin(), edge.gates.end());
  const auto [place, is_new] = node(held).next.try_emplace(taken, edge);
  if (is_new) {
    ++edges_;
    node(taken).previous.insert(held);
  } else {
    Gates gates = in_common(place->second.gates, edge.gates);
    if (gates == place->second.gates) return {};
    // Tell of the time when there were fewer.
    edge.gates = std::move(gates);
    place->second = std::move(edge);
  }
  return cycle_through(place->second);
}

// Breadth first: whoever comes to a lock by fewer edges, or under other gates.
std::vector<OrderEdge> LockGraph::cycle_through(const OrderEdge& edge) const {
  struct Step {
    const OrderEdge* edge;
    Gates gates;
    std::size_t before;
  };
  // A graph in which many gates come together has more ways than anybody wants to see.
  constexpr std::size_t most_steps = 20'000;
  std::vector<Step> steps{{&edge, edge.gates, 0}};
  std::map<const void*, std::vector<Gates>> seen;
  for (std::size_t i = 0; i < steps.size() && steps.size() < most_steps; ++i) {
    const void* const at = steps[i].edge->taken;
    if (at == edge.held.lock) {
      if (!steps[i].gates.empty()) continue;
      std::vector<OrderEdge> cycle;
      for (std::size_t step = i; step != 0; step = steps[step].before) {
        cycle.push_back(*steps[step].edge);
      }
      cycle.push_back(edge);
      std::reverse(cycle.begin(), cycle.end());
      return cycle;
    }
    // Who has come here under no more gates gets wherever this one does.
    std::vector<Gates>& others = seen[at];
    const bool is_in_vain = std::any_of(others.begin(), others.end(), [&](const Gates& other) {
      return std::includes(steps[i].gates.begin(), steps[i].gates.end(), other.begin(),
                           other.end());
    });
    if (is_in_vain) continue;
    others.push_back(steps[i].gates);
    const auto node = nodes_.find(at);
    if (node == nodes_.end()) continue;
    for (const auto& [taken, next] : node->second.next) {
      steps.push_back({&next, in_common(steps[i].gates, next.gates), i});
    }
  }
  return {};
}

void LockGraph::allow(const void* first, const void* second) {
  remove_edge(first, second);
  if (!allowed_.insert({first, second}).second) return;
  runtime::count_remembered(first);
  runtime::count_remembered(second);
}

void LockGraph::remove_edge(const void* held, const void* taken) {
  if (find(held, taken) == nullptr) return;
  nodes_[held].next.erase(taken);
  nodes_[taken].previous.erase(held);
  --edges_;
  remove_if_bare(held);
  remove_if_bare(taken);
}

void LockGraph::remove_if_bare(const void* lock) {
  const auto node = nodes_.find(lock);
  if (node == nodes_.end() || !node->second.next.empty() || !node->second.previous.empty()) return;
  nodes_.erase(node);
  runtime::count_forgotten(lock);
}

void LockGraph::remove_edges_of(const void* lock) {
  const auto node = nodes_.find(lock);
  if (node == nodes_.end()) return;
  std::vector<std::pair<const void*, const void*>> edges;
  for (const auto& [taken, edge] : node->second.next) edges.emplace_back(lock, taken);
  for (const void* held : node->second.previous) edges.emplace_back(held, lock);
  for (const auto& [held, taken] : edges) remove_edge(held, taken);
}

void LockGraph::forget(const void* lock) {
  remove_edges_of(lock);
  for (auto pair = allowed_.begin(); pair != allowed_.end();) {
    const auto [first, second] = *pair;
    if (first != lock && second != lock) {
      ++pair;
      continue;
    }
    runtime::count_forgotten(first);
    runtime::count_forgotten(second);
    pair = allowed_.erase(pair);
  }
}

// An eighth of the locks, of which it has not heard for the longest time.
void LockGraph::make_room() {
  std::vector<std::pair<std::uint64_t, const void*>> by_age;
  for (const auto& [lock, node] : nodes_) by_age.emplace_back(node.heard, lock);
  const auto end = by_age.begin() + static_cast<std::ptrdiff_t>(by_age.size() / 8 + 1);
  std::partial_sort(by_age.begin(), end, by_age.end());
  std::for_each(by_age.begin(), end, [this](const auto& old) { remove_edges_of(old.second); });
}

}  // namespace tutti::inline TUTTI_ABI::sync
