#include "look/snapshot.h"

#include <fmt/core.h>
#include <unistd.h>
#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inspect/thread_info.h"
#include "look/error.h"
#include "look/registry.h"
#include "threading/report_state.h"

namespace look {

namespace threading = tutti::threading;
using tutti::inspect::ThreadInfo;
using tutti::runtime::WaitKind;

namespace {

// Registries number their threads each for itself.
std::uint64_t ident_in(std::size_t registry, tutti::runtime::ThreadId id) {
  return id == 0 ? 0 : std::uint64_t{registry} << 32 | id;
}

ThreadInfo info_of(const RegisteredThread& thread, std::size_t registry, std::int64_t now) {
  ThreadInfo info =
      tutti::inspect::info_of(*thread.slot, thread.id, thread.record, thread.details, now);
  info.ident = ident_in(registry, thread.id);
  info.holder = ident_in(registry, static_cast<tutti::runtime::ThreadId>(info.holder));
  info.state = threading::recorded_state_of(*thread.slot, thread.record);
  return info;
}

bool waits(const ThreadInfo& info) {
  return info.state.blocked_on.kind != WaitKind::none;
}

// A thread that two registries know, the program's own and a preloaded one, is told of once: as
// the one that says what it waits for, under the name that the program has given it.
class Merged {
 public:
  void add(ThreadInfo info) {
    if (info.native_id == 0) return threads_.push_back(std::move(info));
    const auto [place, is_new] = places_.emplace(info.native_id, threads_.size());
    if (is_new) return threads_.push_back(std::move(info));
    ThreadInfo& known = threads_[place->second];
    same_[info.ident] = known.ident;
    if (known.foreign && !info.foreign) known.name = info.name;
    if (waits(known) || !waits(info)) return;
    info.ident = known.ident;
    info.name = known.name;
    known = std::move(info);
  }

  std::vector<ThreadInfo> take() {
    for (ThreadInfo& info : threads_) {
      if (const auto same = same_.find(info.holder); same != same_.end()) {
        info.holder = same->second;
      }
    }
    return std::move(threads_);
  }

 private:
  std::vector<ThreadInfo> threads_;
  std::unordered_map<std::uint32_t, std::size_t> places_;
  std::unordered_map<std::uint64_t, std::uint64_t> same_;
};

bool all_are(const std::map<std::uint32_t, Task>& tasks, std::string_view states) {
  return std::all_of(tasks.begin(), tasks.end(), [&](const auto& task) {
    return states.find(task.second.state) != std::string_view::npos;
  });
}

// In a container, threads have other numbers than outside.
void translate_numbers(std::vector<ThreadInfo>& threads, const Process& process,
                       const std::map<std::uint32_t, Task>& tasks) {
  std::unordered_map<std::uint32_t, std::uint32_t> outside;
  for (const auto& [number, task] : tasks) outside.emplace(process.own_number(number), number);
  for (ThreadInfo& info : threads) {
    if (const auto found = outside.find(info.native_id); found != outside.end()) {
      info.native_id = found->second;
    }
  }
}

// What the record doesn't say the kernel does: one that is not in a wait of tutti's may sleep in a
// system call, or have been ended from outside.
void complete(ThreadInfo& info, const Task* task) {
  if (info.native_id == 0) return;
  if (task == nullptr) {
    info.state = {threading::Phase::dead, {}};
  } else if (info.state == threading::Phase::running &&
             (task->state == 'S' || task->state == 'D')) {
    info.state = {threading::Phase::blocked_otherwise, {WaitKind::io, nullptr}};
  }
}

}  // namespace

const Task* Snapshot::task_of(const ThreadInfo& thread) const {
  const auto found = tasks.find(thread.native_id);
  return found == tasks.end() ? nullptr : &found->second;
}

Snapshot take_snapshot(const Process& process) {
  Snapshot snapshot;
  snapshot.pid = process.pid();
  snapshot.program = process.program();
  const std::uint32_t own_pid = process.own_number();
  const std::vector<RegistryCopy> registries = registries_of(process);
  const std::int64_t now = tutti::platform::now();
  Merged merged;
  for (std::size_t i = 0; i < registries.size(); ++i) {
    for (const RegisteredThread& thread : registries[i].threads()) {
      if (thread.process == own_pid) {
        merged.add(info_of(thread, i, now));
      } else {
        snapshot.elsewhere.emplace(
            ident_in(i, thread.id),
            fmt::format("{} of process {}", thread.slot->name.get(), thread.process));
      }
    }
  }
  std::vector<ThreadInfo> threads = merged.take();
  snapshot.tasks = process.tasks();
  if (all_are(snapshot.tasks, "Z")) process.throw_ended();
  snapshot.is_stopped = all_are(snapshot.tasks, "Tt");
  if (own_pid != static_cast<std::uint32_t>(process.pid())) {
    translate_numbers(threads, process, snapshot.tasks);
  }
  for (ThreadInfo& info : threads) complete(info, snapshot.task_of(info));
  if (threads.empty()) {
    throw Error(
        fmt::format("{} has no tutti threads to show: it does not use tutti, or it has opted out "
                    "(TUTTI_INSPECT=off, inspect::hide())",
                    process.describe()));
  }
  std::set<std::string> names;
  for (const ThreadInfo& info : threads) {
    if (!names.insert(info.name).second) snapshot.shared_names.insert(info.name);
  }
  snapshot.graph = tutti::inspect::WaitGraph(std::move(threads));
  return snapshot;
}

std::vector<Snapshot> all_snapshots() {
  std::vector<Snapshot> found;
  for (const int pid : all_pids()) {
    if (pid == getpid()) continue;
    try {
      found.push_back(take_snapshot(Process(pid)));
    } catch (const Error&) {
      // Not for us to see.
    }
  }
  return found;
}

}  // namespace look
