#include <fmt/core.h>
#include <algorithm>
#include <cmath>

#include "look/layout.h"
#include "look/picture.h"
#include "look/table.h"

namespace look {

namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// So that it fits into a node.
std::string cut(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  std::string result;
  std::size_t kept = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && ++kept == width) break;
    result += c;
  }
  return result + "…";
}

// Where the line from the middle of a node to `to` leaves its box.
Point border(Point middle, Point to) {
  const double dx = to.x - middle.x;
  const double dy = to.y - middle.y;
  const double gap = 4;
  const double across = dx == 0 ? 1e9 : (Layout::node_width / 2 + gap) / std::abs(dx);
  const double up = dy == 0 ? 1e9 : (Layout::node_height / 2 + gap) / std::abs(dy);
  const double share = std::min(across, up);
  return {middle.x + dx * share, middle.y + dy * share};
}

// A ring's edges bow outwards, to the left of their direction, so that those of two threads don't
// lie on each other.
Point bow_of(Point from, Point to, double by) {
  const double dx = to.x - from.x;
  const double dy = to.y - from.y;
  const double length = std::max(std::hypot(dx, dy), 1.0);
  return {(from.x + to.x) / 2 + dy / length * by, (from.y + to.y) / 2 - dx / length * by};
}

// Over the middle of a straight line, and outside of a bow; text is wider than high.
Point label_place(Point begin, Point through, Point end, bool is_bow) {
  const Point middle{(begin.x + 2 * through.x + end.x) / 4, (begin.y + 2 * through.y + end.y) / 4};
  if (!is_bow) return {middle.x, middle.y - 6};
  const Point outside = bow_of(begin, end, 1);
  const double dx = outside.x - (begin.x + end.x) / 2;
  const double dy = outside.y - (begin.y + end.y) / 2;
  return {middle.x + 44 * dx, middle.y + 4 + 14 * dy};
}

std::string edge_svg(const Picture::Edge& edge, const Layout& layout) {
  const Point from = layout.nodes[edge.from];
  const Point to = layout.nodes[edge.to];
  constexpr double bow = 60;
  const Point through = bow_of(from, to, edge.is_in_ring ? bow : 0);
  const Point begin = border(from, through);
  const Point end = border(to, through);
  const Point label = label_place(begin, through, end, edge.is_in_ring);
  const std::string kind =
      fmt::format("edge{}{}", edge.is_in_ring ? " ring" : "", edge.is_endless ? "" : " ends");
  std::string svg = fmt::format(
      "<path class=\"{}\" d=\"M{:.1f} {:.1f} Q{:.1f} {:.1f} {:.1f} {:.1f}\" "
      "marker-end=\"url(#{})\"/>\n",
      kind, begin.x, begin.y, through.x, through.y, end.x, end.y,
      edge.is_in_ring ? "ring-head" : "head");
  if (!edge.label.empty()) {
    svg += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", label.x,
                       label.y, escaped(cut(edge.label, 28)));
  }
  return svg;
}

std::string node_svg(const Picture::Node& node, Point at) {
  std::string svg = fmt::format(
      "<g class=\"node {}{}\" tabindex=\"0\" data-details=\"{}\" transform=\"translate({:.1f} "
      "{:.1f})\">\n<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>\n",
      node.is_thread ? "thread" : "object", node.is_in_ring ? " ring" : "", escaped(node.details),
      at.x, at.y, -Layout::node_width / 2, -Layout::node_height / 2, Layout::node_width,
      Layout::node_height, node.is_thread ? 8.0 : Layout::node_height / 2);
  double y = -8 * static_cast<double>(node.lines.size()) + 4;
  svg += fmt::format("<text class=\"title\" y=\"{}\">{}</text>\n", y, escaped(cut(node.title, 24)));
  for (const std::string& line : node.lines) {
    y += 17;
    svg += fmt::format("<text y=\"{}\">{}</text>\n", y, escaped(cut(line, 28)));
  }
  return svg + "</g>\n";
}

constexpr const char* style = R"(
body { font: 14px system-ui, sans-serif; margin: 24px; color: #222; background: #fff; }
h1 { font-size: 18px; font-weight: 600; }
.deadlock { color: #b00020; margin: 4px 0; }
svg { max-width: 100%; height: auto; }
svg text { font-size: 12px; text-anchor: middle; fill: #444; }
svg .title { font-size: 13px; font-weight: 600; fill: #111; }
svg .label { font-size: 12px; paint-order: stroke; stroke: #fff; stroke-width: 5px; }
.node rect { fill: #eef3fa; stroke: #6b86a8; stroke-width: 1.2; }
.node.object rect { fill: #f6f6f2; stroke: #999; stroke-dasharray: 4 3; }
.node.ring rect { fill: #fdeaec; stroke: #b00020; stroke-width: 2.2; }
.node:hover rect, .node:focus rect { stroke-width: 3; }
.node:focus { outline: none; }
.edge { fill: none; stroke: #6b86a8; stroke-width: 1.4; }
.edge.ring { stroke: #b00020; stroke-width: 2.4; }
.edge.ends { stroke-dasharray: 6 4; }
#details { position: fixed; right: 24px; bottom: 24px; width: 270px; margin: 0; padding: 12px;
  border: 1px solid #aaa; border-radius: 8px; background: #ffffffe8; white-space: pre-wrap;
  font: 13px ui-monospace, monospace; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181a1d; }
  .deadlock { color: #ff7a8a; }
  svg text { fill: #bbb; }
  svg .title { fill: #fff; }
  svg .label { stroke: #181a1d; }
  #details { background: #181a1de8; border-color: #555; }
  .node rect { fill: #22303f; }
  .node.object rect { fill: #26262a; }
  .node.ring rect { fill: #4a1f27; stroke: #ff7a8a; }
  .edge.ring { stroke: #ff7a8a; }
}
)";

constexpr const char* markers = R"(<defs>
<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" fill="#6b86a8"/></marker>
<marker id="ring-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="12" markerHeight="12" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" fill="#d02040"/></marker>
</defs>
)";

constexpr const char* script = R"(
const details = document.getElementById("details");
for (const node of document.querySelectorAll(".node")) {
  const show = () => { details.textContent = node.dataset.details; };
  node.addEventListener("mouseenter", show);
  node.addEventListener("focus", show);
}
)";

}  // namespace

std::string to_html(const Picture& picture) {
  const Layout layout = layout_of(picture);
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
      escaped(picture.title), style);
  for (const std::string& ring : picture.rings) {
    page += fmt::format("<p class=\"deadlock\">{}</p>\n", escaped(ring));
  }
  page += fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\">\n{2}",
      layout.width, layout.height, markers);
  for (std::size_t i = 0; i < picture.nodes.size(); ++i) {
    page += node_svg(picture.nodes[i], layout.nodes[i]);
  }
  for (const Picture::Edge& edge : picture.edges) page += edge_svg(edge, layout);
  page += fmt::format(
      "</svg>\n<pre id=\"details\">Point at a node to see more of it.</pre>\n"
      "<script>{}</script>\n</body>\n</html>\n",
      script);
  return page;
}

}  // namespace look
