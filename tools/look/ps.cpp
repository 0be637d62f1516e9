#include "look/ps.h"

#include <fmt/core.h>
#include <unistd.h>
#include <cstdio>
#include <string>

#include "look/error.h"
#include "look/json.h"
#include "look/snapshot.h"
#include "look/table.h"
#include "look/words.h"

namespace look {

namespace {

using tutti::inspect::ThreadInfo;

std::vector<std::string> row_of(const Snapshot& snapshot, const ThreadInfo& thread) {
  const char* mark = snapshot.graph.is_in_ring(thread.ident) ? "@" : "";
  return {mark,
          name_of(thread) + (thread.daemon ? " (daemon)" : ""),
          thread.native_id == 0 ? "-" : std::to_string(thread.native_id),
          state_of(thread),
          wait_of(snapshot, thread),
          held_by(snapshot, thread),
          waited(thread),
          time_left(thread)};
}

void print_table(const Snapshot& snapshot) {
  fmt::print("{}\n", title_of(snapshot));
  Table table({{""},
               {"THREAD"},
               {"TID", Table::Align::right},
               {"STATE"},
               {"WAITS FOR"},
               {"HELD BY"},
               {"FOR", Table::Align::right},
               {"LEFT", Table::Align::right}});
  for (const ThreadInfo& thread : snapshot.graph.threads()) table.add(row_of(snapshot, thread));
  for (const std::string& line : table.lines()) fmt::print("  {}\n", line);
  for (const std::string& ring : rings_of(snapshot)) fmt::print("  @ {}\n", ring);
}

}  // namespace

int ps(const std::vector<int>& pids, Format format) {
  int code = 0;
  std::vector<Snapshot> snapshots;
  for (const int pid : pids) {
    try {
      snapshots.push_back(take_snapshot(Process(pid)));
    } catch (const Error& error) {
      fmt::print(stderr, "tutti: {}\n", error.what());
      code = 1;
    }
  }
  if (pids.empty()) snapshots = all_snapshots();
  if (format == Format::json) {
    fmt::print("{}\n", to_json(snapshots));
    return code;
  }
  for (const Snapshot& snapshot : snapshots) {
    if (&snapshot != &snapshots.front()) fmt::print("\n");
    print_table(snapshot);
  }
  if (pids.empty() && snapshots.empty()) {
    fmt::print(stderr, "tutti: no program {}has tutti threads\n",
               geteuid() == 0 ? "" : "that you may look into ");
  }
  return code;
}

}  // namespace look
