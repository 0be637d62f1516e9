#include "runtime/trace_reading.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace tests {

namespace {

using Json = nlohmann::json;

std::int64_t nanoseconds(const Json& microseconds) {
  return std::llround(microseconds.get<double>() * 1000);
}

// As they come in the file: a slice before those inside of it.
void check_slices(const TraceThread& thread) {
  std::vector<const TraceSlice*> around;
  std::int64_t known_until = -1;
  for (const TraceSlice& slice : thread.slices) {
    EXPECT_LE(slice.begin, slice.end) << thread.name << ": " << slice.name;
    while (!around.empty() && around.back()->end <= slice.begin && around.back()->end < slice.end) {
      around.pop_back();
    }
    if (around.empty()) {
      if (known_until >= 0) {
        EXPECT_EQ(slice.begin, known_until) << thread.name << ": " << slice.name;
      }
      known_until = slice.end;
    } else {
      EXPECT_GE(slice.begin, around.back()->begin) << thread.name << ": " << slice.name;
      EXPECT_LE(slice.end, around.back()->end) << thread.name << ": " << slice.name;
    }
    around.push_back(&slice);
  }
}

// Slices leave no gaps, so what lies in a thread's life lies in one of them.
void check_flow(const Trace& trace, const TraceFlow& flow) {
  EXPECT_LE(flow.sent, flow.arrived);
  for (const auto& [name, when] : {std::pair(flow.from, flow.sent), {flow.to, flow.arrived}}) {
    const bool is_in_a_slice =
        std::any_of(trace.threads.begin(), trace.threads.end(), [&](const TraceThread& thread) {
          return thread.name == name && !thread.slices.empty() &&
                 thread.slices.front().begin <= when && when <= thread.slices.back().end;
        });
    EXPECT_TRUE(is_in_a_slice) << flow.name << " of " << name << " at " << when;
  }
}

}  // namespace

std::vector<TraceSlice> TraceThread::of(const std::string& category) const {
  std::vector<TraceSlice> found;
  for (const TraceSlice& slice : slices) {
    if (slice.category == category) found.push_back(slice);
  }
  return found;
}

const TraceThread* Trace::thread(const std::string& name) const {
  const TraceThread* found = nullptr;
  for (const TraceThread& thread : threads) {
    if (thread.name != name) continue;
    if (found != nullptr) return nullptr;
    found = &thread;
  }
  return found;
}

Trace read_trace(const std::string& path) {
  std::ifstream file(path);
  Json json = Json::parse(file, nullptr, false);
  if (json.is_discarded()) {
    ADD_FAILURE() << path << " is no JSON";
    return {};
  }
  Trace trace;
  trace.program = json["otherData"]["program"];
  trace.dropped_events = json["otherData"]["dropped_events"];
  trace.dropped_threads = json["otherData"]["dropped_threads"];
  std::map<std::int64_t, std::size_t> by_number;
  for (const Json& event : json["traceEvents"]) {
    if (event["name"] != "thread_name") continue;
    const bool is_new = by_number.emplace(event["tid"], trace.threads.size()).second;
    EXPECT_TRUE(is_new) << event;
    trace.threads.push_back({event["args"]["name"], {}, {}});
  }
  std::map<std::int64_t, TraceFlow> begun;
  for (const Json& event : json["traceEvents"]) {
    const std::string phase = event["ph"];
    if (phase == "M") continue;
    TraceThread& thread = trace.threads.at(by_number.at(event["tid"]));
    const std::int64_t when = nanoseconds(event["ts"]);
    EXPECT_GE(when, 0) << event;
    if (phase == "X") {
      EXPECT_GE(event["dur"], 0) << event;
      const Json args = event.value("args", Json::object());
      thread.slices.push_back({event["name"], event["cat"], when, when + nanoseconds(event["dur"]),
                               args.value("holder", args.value("joined", "")),
                               args.value("object", "")});
    } else if (phase == "i") {
      thread.marks.push_back(event["name"]);
    } else if (phase == "s") {
      const bool is_new =
          begun.emplace(event["id"], TraceFlow{event["name"], thread.name, "", when, 0}).second;
      EXPECT_TRUE(is_new) << event;
    } else if (phase == "f") {
      const auto its_begin = begun.find(event["id"]);
      if (its_begin == begun.end()) {
        ADD_FAILURE() << event << " has no begin";
        continue;
      }
      its_begin->second.to = thread.name;
      its_begin->second.arrived = when;
      trace.flows.push_back(its_begin->second);
      begun.erase(its_begin);
    } else {
      ADD_FAILURE() << event;
    }
  }
  EXPECT_TRUE(begun.empty()) << begun.size() << " flows have no end";
  for (const TraceThread& thread : trace.threads) check_slices(thread);
  for (const TraceFlow& flow : trace.flows) check_flow(trace, flow);
  return trace;
}

}  // namespace tests
