// The wait graph as a picture: what is drawn, before anybody says where and how.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "look/snapshot.h"

namespace look {

struct Picture {
  struct Node {
    /// A thread, or an object that nobody in particular has.
    bool is_thread = true;
    bool is_in_ring = false;
    std::string title;
    /// What stands below it.
    std::vector<std::string> lines;
    /// What is told when somebody asks.
    std::string details;
  };
  /// By the places of the nodes. A node has one edge that leaves it at most.
  struct Edge {
    std::size_t from = 0;
    std::size_t to = 0;
    std::string label;
    bool is_in_ring = false;
    /// Without a time-out.
    bool is_endless = true;
  };

  std::string title;
  std::vector<std::string> rings;
  std::vector<Node> nodes;
  std::vector<Edge> edges;
};

/// Threads, each with an edge to the thread that it waits for; or else to the object that it waits
/// for, if there is one, which has a node of its own.
Picture picture_of(const Snapshot& snapshot);

/// For Graphviz.
std::string to_dot(const Picture& picture);
/// A page of its own, with nothing to be loaded from elsewhere.
std::string to_html(const Picture& picture);

}  // namespace look
