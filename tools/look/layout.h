// Where the nodes of a picture stand on a page.
#pragma once

#include <vector>

#include "look/picture.h"

namespace look {

struct Point {
  double x = 0;
  double y = 0;
};

struct Layout {
  static constexpr double node_width = 190;
  static constexpr double node_height = 62;

  /// The middle of each node.
  std::vector<Point> nodes;
  double width = 0;
  double height = 0;
};

/// Each node has one edge that leaves it at most, so what hangs together is a tree whose root is a
/// node that waits for nobody, or a ring. Rings are drawn as such, trees to their left, each thread
/// to the left of what it waits for; what is alone comes last, in rows.
Layout layout_of(const Picture& picture);

}  // namespace look
