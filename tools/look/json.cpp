#include "look/json.h"

#include <fmt/core.h>
#include <cmath>
#include <nlohmann/json.hpp>

#include "look/words.h"

namespace look {

namespace {

using tutti::inspect::ThreadInfo;
using Json = nlohmann::ordered_json;

Json address_of(std::uintptr_t address) {
  return address == 0 ? Json() : Json(fmt::format("{:#x}", address));
}

Json wait_json(const Snapshot& snapshot, const ThreadInfo& thread) {
  const auto& on = thread.state.blocked_on;
  if (on.kind == tutti::runtime::WaitKind::none) return nullptr;
  Json wait;
  wait["kind"] = tutti::runtime::to_string(on.kind);
  wait["object"] = address_of(reinterpret_cast<std::uintptr_t>(on.object));
  wait["name"] = thread.object_name.empty() ? Json() : Json(printable(thread.object_name));
  wait["holder"] = thread.holder == 0 ? Json() : Json(holder_of(snapshot, thread));
  const ThreadInfo* holder = snapshot.graph.find(thread.holder);
  wait["holder_tid"] = holder == nullptr ? Json() : Json(holder->native_id);
  wait["for"] = thread.blocked_for;
  wait["left"] = std::isfinite(thread.time_left) ? Json(thread.time_left) : Json();
  wait["stack"] = Json::array();
  for (const std::uintptr_t address : thread.stack) wait["stack"].push_back(address_of(address));
  return wait;
}

Json thread_json(const Snapshot& snapshot, const ThreadInfo& thread) {
  Json json;
  json["name"] = name_of(thread);
  json["tid"] = thread.native_id == 0 ? Json() : Json(thread.native_id);
  json["daemon"] = thread.daemon;
  json["main"] = thread.main;
  json["foreign"] = thread.foreign;
  json["state"] = state_of(thread);
  const Task* task = snapshot.task_of(thread);
  json["cpu"] = task == nullptr ? Json() : Json(task->cpu_seconds);
  json["waits_for"] = wait_json(snapshot, thread);
  json["in_ring"] = snapshot.graph.is_in_ring(thread.ident);
  return json;
}

Json program_json(const Snapshot& snapshot) {
  Json json;
  json["pid"] = snapshot.pid;
  json["program"] = printable(snapshot.program);
  json["stopped"] = snapshot.is_stopped;
  json["threads"] = Json::array();
  for (const ThreadInfo& thread : snapshot.graph.threads()) {
    json["threads"].push_back(thread_json(snapshot, thread));
  }
  json["rings"] = Json::array();
  for (const auto& ring : snapshot.graph.rings()) {
    Json members = Json::array();
    for (const std::uint64_t ident : ring) {
      members.push_back(name_of(*snapshot.graph.find(ident)));
    }
    json["rings"].push_back(members);
  }
  return json;
}

}  // namespace

std::string to_json(const std::vector<Snapshot>& snapshots) {
  Json all = Json::array();
  for (const Snapshot& snapshot : snapshots) all.push_back(program_json(snapshot));
  return all.dump(2);
}

}  // namespace look
