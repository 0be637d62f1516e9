#include "look/picture.h"

#include <fmt/core.h>
#include <cmath>
#include <map>
#include <unordered_map>

#include "look/words.h"

namespace look {

namespace {

using tutti::inspect::ThreadInfo;

std::string details_of(const Snapshot& snapshot, const ThreadInfo& thread) {
  std::string text = fmt::format("{}{}\n", name_of(thread), thread.daemon ? " (daemon)" : "");
  if (thread.native_id != 0) text += fmt::format("tid {}\n", thread.native_id);
  text += state_of(thread) + "\n";
  if (const std::string wait = wait_of(snapshot, thread); !wait.empty()) {
    text += fmt::format("waits for {}\n", wait);
  }
  if (const std::string holder = held_by(snapshot, thread); !holder.empty()) {
    text += fmt::format("held by {}\n", holder);
  }
  if (const std::string time = waited(thread); !time.empty()) text += fmt::format("for {}\n", time);
  if (const std::string time = time_left(thread); !time.empty()) {
    text += fmt::format("ends in {}\n", time);
  }
  return text;
}

Picture::Node node_of(const Snapshot& snapshot, const ThreadInfo& thread) {
  Picture::Node node;
  node.is_in_ring = snapshot.graph.is_in_ring(thread.ident);
  node.title = reference_to(snapshot, thread);
  const auto& on = thread.state.blocked_on;
  const bool says_all = on.object == nullptr && on.kind != tutti::runtime::WaitKind::none;
  node.lines.push_back(says_all ? wait_of(snapshot, thread) : state_of(thread));
  if (const std::string time = waited(thread); !time.empty()) node.lines.push_back(time);
  node.details = details_of(snapshot, thread);
  return node;
}

// What the thread waits for, if that is nobody's in this program.
Picture::Node object_node(const Snapshot& snapshot, const ThreadInfo& thread) {
  Picture::Node node;
  node.is_thread = false;
  node.title = wait_of(snapshot, thread);
  node.details = node.title + "\n";
  if (const std::size_t at = node.title.rfind(" at 0x"); at != std::string::npos) {
    node.lines.push_back(node.title.substr(at + 1));
    node.title.resize(at);
  }
  if (const std::string holder = held_by(snapshot, thread); !holder.empty()) {
    node.lines.push_back("held by " + holder);
  }
  return node;
}

}  // namespace

Picture picture_of(const Snapshot& snapshot) {
  Picture picture;
  picture.title = title_of(snapshot);
  picture.rings = rings_of(snapshot);
  std::unordered_map<std::uint64_t, std::size_t> places;
  for (const ThreadInfo& thread : snapshot.graph.threads()) {
    places.emplace(thread.ident, picture.nodes.size());
    picture.nodes.push_back(node_of(snapshot, thread));
  }
  std::map<const void*, std::size_t> objects;
  for (const ThreadInfo& thread : snapshot.graph.threads()) {
    Picture::Edge edge{places.at(thread.ident), 0, wait_of(snapshot, thread), false,
                       std::isinf(thread.time_left)};
    const void* object = thread.state.blocked_on.object;
    if (const auto holder = places.find(thread.holder); holder != places.end()) {
      edge.to = holder->second;
      edge.is_in_ring = snapshot.graph.is_in_ring(thread.ident);
    } else if (object != nullptr) {
      const auto [place, is_new] = objects.emplace(object, picture.nodes.size());
      edge.to = place->second;
      if (is_new) {
        picture.nodes.push_back(object_node(snapshot, thread));
      }
      edge.label.clear();
      picture.nodes[edge.to].details +=
          fmt::format("awaited by {}\n", reference_to(snapshot, thread));
    } else {
      continue;
    }
    picture.edges.push_back(std::move(edge));
  }
  return picture;
}

}  // namespace look
