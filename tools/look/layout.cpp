#include "look/layout.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace look {

namespace {

constexpr double column = Layout::node_width + 110;
constexpr double row = Layout::node_height + 22;
constexpr double margin = 40;

class Placing {
 public:
  explicit Placing(const Picture& picture)
      : picture_(picture), next_(picture.nodes.size()), waiting_(picture.nodes.size()) {
    layout_.nodes.resize(picture.nodes.size());
    for (const Picture::Edge& edge : picture.edges) {
      next_[edge.from] = edge.to;
      if (!edge.is_in_ring) waiting_[edge.to].push_back(edge.from);
    }
  }

  Layout place() {
    const std::vector<std::vector<std::size_t>> cores = find_cores();
    for (const auto& core : cores) {
      if (!is_alone(core)) place_around(core);
    }
    double top = bottom_;
    for (const auto& core : cores) {
      if (is_alone(core)) place_alone(core.front());
    }
    if (alone_ == 0) bottom_ = top;
    layout_.width = std::max(layout_.width, column * 3) + margin;
    layout_.height = bottom_ + margin;
    return std::move(layout_);
  }

 private:
  // Rings, and nodes that wait for nobody.
  std::vector<std::vector<std::size_t>> find_cores() const {
    std::vector<std::vector<std::size_t>> cores;
    std::vector<bool> is_seen(next_.size());
    for (std::size_t i = 0; i < next_.size(); ++i) {
      const bool is_in_ring = picture_.nodes[i].is_in_ring;
      if (is_seen[i] || (next_[i] && !is_in_ring)) continue;
      std::vector<std::size_t> core;
      for (std::size_t at = i; !is_seen[at]; at = next_[at].value_or(i)) {
        is_seen[at] = true;
        core.push_back(at);
      }
      cores.push_back(std::move(core));
    }
    return cores;
  }

  bool is_alone(const std::vector<std::size_t>& core) const {
    return core.size() == 1 && !next_[core[0]] && waiting_[core[0]].empty();
  }

  std::size_t depth_below(std::size_t node) const {
    std::size_t deepest = 0;
    for (const std::size_t child : waiting_[node]) {
      deepest = std::max(deepest, depth_below(child) + 1);
    }
    return deepest;
  }

  void put(std::size_t node, Point at) {
    layout_.nodes[node] = at;
    layout_.width = std::max(layout_.width, at.x + Layout::node_width / 2);
    bottom_ = std::max(bottom_, at.y + Layout::node_height / 2);
  }

  // Those who wait for `node`, from row `next_row` on, to the left of `x`; returns their middle.
  double place_waiting(std::size_t node, double x, double& next_row) {
    const std::vector<std::size_t>& children = waiting_[node];
    double first = 0;
    double last = 0;
    for (const std::size_t child : children) {
      double y = next_row;
      if (waiting_[child].empty()) {
        next_row += row;
      } else {
        y = place_waiting(child, x - column, next_row);
      }
      if (child == children.front()) first = y;
      last = y;
      put(child, {x - column, y});
    }
    return (first + last) / 2;
  }

  void place_around(const std::vector<std::size_t>& core) {
    const double top = bottom_ + margin + Layout::node_height / 2;
    std::size_t depth = 0;
    for (const std::size_t node : core) depth = std::max(depth, depth_below(node));
    const double left = margin + Layout::node_width / 2 + static_cast<double>(depth) * column;
    double next_row = top;
    if (core.size() == 1) {
      const double y = place_waiting(core[0], left, next_row);
      put(core[0], {left, waiting_[core[0]].empty() ? top : y});
      return;
    }
    for (const std::size_t node : core) place_waiting(node, left, next_row);
    // On an ellipse, wider than high, because that is how boxes and labels are.
    const double share = static_cast<double>(core.size()) / (2 * std::numbers::pi);
    const double across = std::max(column * 0.75, share * column * 1.1);
    const double up = core.size() == 2 ? 0 : std::max(row * 1.4, share * row * 2.2);
    const double tree_middle = (top + next_row - row) / 2;
    const Point middle{left + across, std::max(top + up, tree_middle)};
    for (std::size_t i = 0; i < core.size(); ++i) {
      const double angle =
          std::numbers::pi * (1 + 2 * static_cast<double>(i) / static_cast<double>(core.size()));
      put(core[i], {middle.x + across * std::cos(angle), middle.y + up * std::sin(angle)});
    }
    // Room for the edges that bow out of a ring of two.
    bottom_ += margin;
  }

  void place_alone(std::size_t node) {
    constexpr int in_row = 4;
    constexpr double step = Layout::node_width + 24;
    if (alone_ == 0) alone_top_ = bottom_ + margin + Layout::node_height / 2;
    put(node, {margin + Layout::node_width / 2 + step * (alone_ % in_row),
               alone_top_ + row * (alone_ / in_row)});
    ++alone_;
  }

  const Picture& picture_;
  std::vector<std::optional<std::size_t>> next_;
  /// Who waits for each node, but for the one before it in its ring.
  std::vector<std::vector<std::size_t>> waiting_;
  Layout layout_;
  double bottom_ = 0;
  double alone_top_ = 0;
  int alone_ = 0;
};

}  // namespace

Layout layout_of(const Picture& picture) {
  return Placing(picture).place();
}

}  // namespace look
