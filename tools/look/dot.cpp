#include <fmt/core.h>

#include "look/picture.h"

namespace look {

namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string node_line(std::size_t place, const Picture::Node& node) {
  std::string label = node.title;
  for (const std::string& line : node.lines) label += "\n" + line;
  const char* look = !node.is_thread   ? ", shape=ellipse, style=dashed"
                     : node.is_in_ring ? ", color=red, penwidth=2"
                                       : "";
  return fmt::format("  n{} [label={}{}];\n", place, quoted(label), look);
}

std::string edge_line(const Picture::Edge& edge) {
  return fmt::format("  n{} -> n{} [label={}{}{}];\n", edge.from, edge.to, quoted(edge.label),
                     edge.is_in_ring ? ", color=red, penwidth=2" : "",
                     edge.is_endless ? "" : ", style=dashed");
}

}  // namespace

std::string to_dot(const Picture& picture) {
  std::string text = "digraph waits {\n";
  text += fmt::format("  label={};\n  rankdir=LR;\n", quoted(picture.title));
  text += "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
  text += "  edge [fontname=\"sans-serif\", fontsize=10];\n";
  for (std::size_t i = 0; i < picture.nodes.size(); ++i) text += node_line(i, picture.nodes[i]);
  for (const Picture::Edge& edge : picture.edges) text += edge_line(edge);
  return text + "}\n";
}

}  // namespace look
