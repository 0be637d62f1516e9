#include "trace/summary.h"

#include <fmt/core.h>
#include <algorithm>
#include <map>

namespace trace {

namespace {

struct Entry {
  BlockedBy blocked;
  std::map<std::size_t, std::int64_t> by_thread;
};

std::vector<BlockedBy> sorted(std::map<std::size_t, Entry>&& entries) {
  std::vector<BlockedBy> all;
  for (auto& [subject, entry] : entries) {
    entry.blocked.by_thread.assign(entry.by_thread.begin(), entry.by_thread.end());
    std::stable_sort(entry.blocked.by_thread.begin(), entry.blocked.by_thread.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    all.push_back(std::move(entry.blocked));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const BlockedBy& a, const BlockedBy& b) { return a.total > b.total; });
  return all;
}

}  // namespace

Summary summarize(const Timeline& timeline, std::size_t longest) {
  Summary summary;
  std::map<std::size_t, Entry> entries;
  for (std::size_t thread = 0; thread < timeline.threads.size(); ++thread) {
    ThreadTotal& total = summary.threads.emplace_back();
    const auto count_wait = [&](const Slice& slice) {
      if (slice.state != State::blocked) return;
      ++total.waits;
      Entry& entry = entries[slice.subject];
      entry.blocked.subject = slice.subject;
      entry.blocked.total += slice.length();
      ++entry.blocked.count;
      entry.blocked.longest = std::max(entry.blocked.longest, slice.length());
      entry.by_thread[thread] += slice.length();
      summary.longest.push_back({thread, slice});
    };
    for (const Slice& slice : timeline.threads[thread].slices) {
      total.in_state[static_cast<std::size_t>(slice.state)] += slice.length();
      count_wait(slice);
    }
    for (const Slice& slice : timeline.threads[thread].inner) {
      if (slice.state == State::asleep) {
        total.in_state[static_cast<std::size_t>(State::asleep)] += slice.length();
      }
      count_wait(slice);
    }
  }
  std::stable_sort(
      summary.longest.begin(), summary.longest.end(),
      [](const LongWait& a, const LongWait& b) { return a.slice.length() > b.slice.length(); });
  if (summary.longest.size() > longest) summary.longest.resize(longest);
  summary.blocked_by = sorted(std::move(entries));
  return summary;
}

std::string readable_time(std::int64_t nanoseconds) {
  if (nanoseconds < 1000) return fmt::format("{} ns", nanoseconds);
  auto value = static_cast<double>(nanoseconds);
  const char* unit = "ns";
  for (const char* larger : {"µs", "ms", "s"}) {
    if (value < 999.5) break;
    value /= 1000;
    unit = larger;
  }
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, digits, unit);
}

}  // namespace trace
