// `tutti graph`: who waits for whom, drawn.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "look/layout.h"
#include "support/until.h"
#include "tools/command.h"

namespace tests {

using look::Layout;
using look::Picture;

TEST(Graph, DrawsThreadsAndWaitsForGraphviz) {
  const Background program = hanging("many-ways");
  until_told(program);
  Ended ended;
  // Whom a thread waits for is known once it has waited for a while.
  until([&] {
    ended = tutti({"graph", number(program.pid())});
    return bool(has_line(ended.out, "^  n3 -> n1 \\[label=\"join of Anna\"\\]"));
  });
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(has(ended.out, "digraph waits {\n"));
  EXPECT_TRUE(
      has_line(ended.out, "^  n1 \\[label=\"Anna\\\\nblocked \\(lock pool\\)\\\\n.*\", color=red"));
  EXPECT_TRUE(has_line(ended.out, "^  n1 -> n2 \\[label=\"Lock 'right'\", color=red"));
  EXPECT_TRUE(has_line(ended.out, "^  n2 -> n1 \\[label=\"Lock 'left'\", color=red"));
  EXPECT_TRUE(has_line(ended.out, "\\[label=\"empty Queue 'jobs'\", shape=ellipse"));
  EXPECT_TRUE(has_line(ended.out, "^  n6 -> n\\d+ \\[label=\"\", style=dashed\\]"))
      << "patient has a time-out";
}

TEST(Graph, WritesAPageOfItsOwn) {
  const Background program = hanging("large-ring");
  until_told(program);
  const std::string file = testing::TempDir() + "tutti_graph_" + number(getpid()) + ".html";
  const Ended ended = tutti({"graph", number(program.pid()), "--html", file});
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::ifstream stream(file);
  const std::string page(std::istreambuf_iterator<char>(stream), {});
  std::filesystem::remove(file);
  EXPECT_TRUE(has(page, "<!DOCTYPE html>"));
  EXPECT_TRUE(
      has(page, "deadlock: Philosopher-1 waits for Lock 'fork 2', which Philosopher-2 has"));
  EXPECT_TRUE(has(page, "class=\"edge ring\""));
  EXPECT_TRUE(has(page, "data-details=\"guest-1 (daemon)\ntid "));
  EXPECT_TRUE(has(page, "</html>"));
  EXPECT_FALSE(std::regex_search(page, std::regex("(src|href)=|@import|url\\([^#]")))
      << "it loads nothing";
}

TEST(Graph, SaysWhichFileCanNotBeWritten) {
  const Background program = hanging("wait");
  const Ended ended = tutti({"graph", number(program.pid()), "--html", "/does/not/exist"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "tutti: can't write /does/not/exist: No such file or directory\n");
}

TEST(Graph, LetsNoNameBecomePartOfThePage) {
  Picture picture;
  picture.title = "<script>";
  picture.nodes.push_back({true, false, "a\"b<c>&d", {"e<f"}, "\"><script>"});
  const std::string page = look::to_html(picture);
  EXPECT_TRUE(has(page, "<h1>&lt;script&gt;</h1>"));
  EXPECT_TRUE(has(page, "a&quot;b&lt;c&gt;&amp;d"));
  EXPECT_TRUE(has(page, "data-details=\"&quot;&gt;&lt;script&gt;\""));
  EXPECT_TRUE(has(look::to_dot(picture), "n0 [label=\"a\\\"b<c>&d\\ne<f\"]"));
}

// --- the layout ----------------------------------------------------------------------------------

// A ring of so many; behind each of its members, a chain of so many who wait.
Picture ring_with_chains(std::size_t members, std::size_t chain) {
  Picture picture;
  picture.nodes.resize(members * (1 + chain));
  for (std::size_t i = 0; i < members; ++i) {
    picture.nodes[i].is_in_ring = true;
    picture.edges.push_back({i, (i + 1) % members, "", true});
    std::size_t ahead = i;
    for (std::size_t link = 0; link < chain; ++link) {
      const std::size_t node = members + i * chain + link;
      picture.edges.push_back({node, ahead, ""});
      ahead = node;
    }
  }
  return picture;
}

void expect_apart(const Layout& layout) {
  for (std::size_t i = 0; i < layout.nodes.size(); ++i) {
    EXPECT_GE(layout.nodes[i].x, Layout::node_width / 2);
    EXPECT_GE(layout.nodes[i].y, Layout::node_height / 2);
    EXPECT_LE(layout.nodes[i].x, layout.width - Layout::node_width / 2);
    EXPECT_LE(layout.nodes[i].y, layout.height - Layout::node_height / 2);
    for (std::size_t j = 0; j < i; ++j) {
      const bool is_apart = std::abs(layout.nodes[i].x - layout.nodes[j].x) >= Layout::node_width ||
                            std::abs(layout.nodes[i].y - layout.nodes[j].y) >= Layout::node_height;
      EXPECT_TRUE(is_apart) << i << " and " << j << " of " << layout.nodes.size();
    }
  }
}

TEST(GraphLayout, KeepsNodesApart) {
  for (const std::size_t members : {1, 2, 3, 4, 5, 8, 16, 64}) {
    for (const std::size_t chain : {0, 1, 3}) {
      SCOPED_TRACE(testing::Message() << members << " in the ring, chains of " << chain);
      expect_apart(look::layout_of(ring_with_chains(members, chain)));
    }
  }
}

TEST(GraphLayout, PutsEachThreadLeftOfWhatItWaitsFor) {
  Picture tree;
  tree.nodes.resize(7);
  for (const auto& [from, to] : {std::pair{1, 0}, {2, 0}, {3, 1}, {4, 1}, {5, 4}}) {
    tree.edges.push_back({static_cast<std::size_t>(from), static_cast<std::size_t>(to), ""});
  }
  const Layout layout = look::layout_of(tree);
  for (const Picture::Edge& edge : tree.edges) {
    EXPECT_LT(layout.nodes[edge.from].x, layout.nodes[edge.to].x);
  }
  expect_apart(layout);
}

TEST(GraphLayout, TakesManyThreadsThatAreAlone) {
  Picture picture;
  picture.nodes.resize(100);
  expect_apart(look::layout_of(picture));
}

}  // namespace tests
