#include "look/dump.h"

#include <fmt/core.h>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "look/attached.h"
#include "look/error.h"
#include "look/snapshot.h"
#include "look/stacks.h"
#include "look/words.h"

namespace look {

namespace {

using tutti::inspect::ThreadInfo;
using Addresses = std::vector<std::uint64_t>;

// The program runs on before names are looked up, which takes longer.
std::map<std::uint32_t, Addresses> read_stacks(const Process& process, const Snapshot& snapshot,
                                               Stacks& stacks) {
  std::map<std::uint32_t, Addresses> found;
  const Attached attached(process);
  for (const auto& [task, about] : snapshot.tasks) found[task] = stacks.unwind(attached, task);
  return found;
}

// What the waiting threads have written down themselves.
std::map<std::uint32_t, Addresses> stacks_left(const Snapshot& snapshot) {
  std::map<std::uint32_t, Addresses> found;
  for (const ThreadInfo& thread : snapshot.graph.threads()) {
    found[thread.native_id].assign(thread.stack.begin(), thread.stack.end());
  }
  return found;
}

void print_stack(const Stacks& stacks, const Addresses& addresses) {
  int number = 0;
  for (const std::uint64_t address : addresses) {
    for (const Call& call : stacks.calls_at(address)) {
      fmt::print("    {:>2}  {}{}{}\n", call.is_inlined ? "" : std::to_string(number),
                 printable(shortened(call.function)),
                 call.place.empty() ? "" : " at " + printable(call.place),
                 call.is_inlined ? " (inlined)" : "");
    }
    ++number;
  }
  if (addresses.empty()) fmt::print("        no stack\n");
}

std::string headline_of(const Snapshot& snapshot, const ThreadInfo& thread) {
  std::string text = fmt::format("{}{}", name_of(thread), thread.daemon ? " (daemon)" : "");
  if (thread.native_id != 0) text += fmt::format(", tid {}", thread.native_id);
  text += ": " + state_of(thread);
  if (const std::string wait = wait_of(snapshot, thread); !wait.empty()) text += ", " + wait;
  if (const std::string held = held_by(snapshot, thread); !held.empty()) {
    text += ", held by " + held;
  }
  if (const std::string time = waited(thread); !time.empty()) text += ", for " + time;
  if (const std::string time = time_left(thread); !time.empty()) text += ", ends in " + time;
  if (snapshot.graph.is_in_ring(thread.ident)) text += ", in a ring";
  return text;
}

void print_threads(const Snapshot& snapshot, const Stacks& stacks,
                   std::map<std::uint32_t, Addresses>& found) {
  for (const ThreadInfo& thread : snapshot.graph.threads()) {
    fmt::print("\n{}\n", headline_of(snapshot, thread));
    print_stack(stacks, found[thread.native_id]);
    if (thread.native_id != 0) found.erase(thread.native_id);
  }
  for (const auto& [number, addresses] : found) {
    const auto task = snapshot.tasks.find(number);
    if (task == snapshot.tasks.end()) continue;
    fmt::print("\n{}, tid {}: not known to tutti, {} for the kernel\n",
               printable(task->second.name), number, task->second.state);
    print_stack(stacks, addresses);
  }
}

void print_waits(const Snapshot& snapshot) {
  for (const std::string& wait : waits_of(snapshot)) fmt::print("  {}\n", wait);
  for (const std::string& ring : rings_of(snapshot)) fmt::print("  @ {}\n", ring);
}

}  // namespace

int dump(int pid) {
  const Process process(pid);
  const Snapshot snapshot = take_snapshot(process);
  Stacks stacks(process);
  fmt::print("{}\n", title_of(snapshot));
  print_waits(snapshot);
  int code = 0;
  std::map<std::uint32_t, Addresses> found;
  try {
    found = read_stacks(process, snapshot, stacks);
  } catch (const Error& error) {
    code = 1;
    std::fflush(stdout);
    fmt::print(stderr,
               "tutti: {}\ntutti: these are the stacks that long waiting threads left behind\n",
               error.what());
    found = stacks_left(snapshot);
  }
  print_threads(snapshot, stacks, found);
  return code;
}

}  // namespace look
