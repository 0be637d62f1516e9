#include "look/frame.h"

#include <fmt/core.h>
#include <algorithm>

#include "look/table.h"
#include "look/words.h"

namespace look {

namespace {

using tutti::inspect::ThreadInfo;

struct Line {
  const Snapshot* snapshot;
  const ThreadInfo* thread;
  double cpu;
};

std::vector<Line> lines_of(const std::vector<Snapshot>& snapshots, const CpuMeter& cpu) {
  std::vector<Line> lines;
  for (const Snapshot& snapshot : snapshots) {
    for (const ThreadInfo& thread : snapshot.graph.threads()) {
      lines.push_back({&snapshot, &thread, cpu.percent(snapshot.pid, thread.native_id)});
    }
  }
  return lines;
}

void sort(std::vector<Line>& lines, Order order) {
  const auto key = [order](const Line& line) {
    const double blocked = line.thread->blocked_for;
    return order == Order::most_cpu ? std::pair(line.cpu, blocked) : std::pair(blocked, line.cpu);
  };
  std::stable_sort(lines.begin(), lines.end(),
                   [&](const Line& a, const Line& b) { return key(a) > key(b); });
}

std::string summary_of(const std::vector<Snapshot>& snapshots, const std::vector<Line>& lines) {
  std::size_t blocked = 0;
  for (const Line& line : lines) blocked += line.thread->blocked_for > 0 ? 1 : 0;
  std::size_t rings = 0;
  for (const Snapshot& snapshot : snapshots) rings += snapshot.graph.rings().size();
  std::string text = snapshots.size() == 1
                         ? title_of(snapshots[0])
                         : fmt::format("{} programs, {} threads", snapshots.size(), lines.size());
  text += fmt::format(", {} blocked", blocked);
  if (rings > 0) text += fmt::format(", {} ring{}", rings, rings == 1 ? "" : "s");
  return text;
}

}  // namespace

void CpuMeter::look(const std::vector<Snapshot>& snapshots, Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - looked_at_).count();
  looked_at_ = now;
  std::map<std::pair<int, std::uint32_t>, Use> uses;
  for (const Snapshot& snapshot : snapshots) {
    for (const auto& [number, task] : snapshot.tasks) {
      const std::pair key(snapshot.pid, number);
      const auto before = uses_.find(key);
      const double used = before == uses_.end() ? 0 : task.cpu_seconds - before->second.cpu_seconds;
      uses[key] = {task.cpu_seconds, seconds > 0 ? std::max(used, 0.0) / seconds * 100 : 0};
    }
  }
  uses_ = std::move(uses);
}

double CpuMeter::percent(int pid, std::uint32_t task) const {
  const auto found = uses_.find({pid, task});
  return found == uses_.end() ? 0 : found->second.percent;
}

Frame frame_of(const std::vector<Snapshot>& snapshots, const CpuMeter& cpu, Order order) {
  std::vector<Line> lines = lines_of(snapshots, cpu);
  sort(lines, order);
  const bool is_one = snapshots.size() == 1;
  Table table({{""},
               {"PID", Table::Align::right},
               {"PROGRAM"},
               {"THREAD"},
               {"TID", Table::Align::right},
               {"%CPU", Table::Align::right},
               {"STATE"},
               {"WAITS FOR"},
               {"HELD BY"},
               {"FOR", Table::Align::right},
               {"LEFT", Table::Align::right}});
  Frame frame;
  for (const auto& [snapshot, thread, percent] : lines) {
    const bool is_in_ring = snapshot->graph.is_in_ring(thread->ident);
    table.add({is_in_ring ? "@" : "", is_one ? "" : std::to_string(snapshot->pid),
               is_one ? "" : printable(snapshot->program), name_of(*thread),
               thread->native_id == 0 ? "-" : std::to_string(thread->native_id),
               fmt::format("{:.1f}", percent), state_of(*thread), wait_of(*snapshot, *thread),
               held_by(*snapshot, *thread), waited(*thread), time_left(*thread)});
    frame.rows.push_back({"", is_in_ring});
  }
  std::vector<std::string> texts = table.lines();
  frame.summary = summary_of(snapshots, lines);
  frame.titles = texts[0];
  for (std::size_t i = 0; i < frame.rows.size(); ++i) frame.rows[i].text = std::move(texts[i + 1]);
  return frame;
}

}  // namespace look
