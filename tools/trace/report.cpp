#include "trace/report.h"

#include <fmt/core.h>
#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "trace/page.h"

namespace trace {

namespace {

constexpr std::size_t longest_on_page = 25;
constexpr std::size_t lines_printed = 5;

std::string plural(std::size_t number, const char* what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

void print(const Timeline& timeline, const Summary& summary) {
  fmt::print("{}: {}, {}\n", timeline.program, readable_time(timeline.length()),
             plural(timeline.threads.size(), "thread"));
  if (timeline.dropped_events + timeline.dropped_threads > 0) {
    fmt::print("dropped for want of room: {}, {} (see TUTTI_TRACE_EVENTS)\n",
               plural(timeline.dropped_events, "event"),
               plural(timeline.dropped_threads, "thread"));
  }
  if (summary.blocked_by.empty()) return;
  fmt::print("\n{:>10} {:>8} {:>10}  blocked by\n", "total", "waits", "longest");
  const std::size_t lines = std::min(summary.blocked_by.size(), lines_printed);
  for (std::size_t i = 0; i < lines; ++i) {
    const BlockedBy& blocked = summary.blocked_by[i];
    fmt::print("{:>10} {:>8} {:>10}  {}\n", readable_time(blocked.total), blocked.count,
               readable_time(blocked.longest), timeline.subjects[blocked.subject].name);
  }
  if (summary.blocked_by.size() > lines) {
    fmt::print("... and {} more\n", summary.blocked_by.size() - lines);
  }
}

}  // namespace

int report(const std::filesystem::path& file, std::filesystem::path page_file) {
  if (page_file.empty()) page_file = std::filesystem::path(file).replace_extension(".html");
  if (page_file == file) {
    throw std::runtime_error(
        fmt::format("{}: the page would take the place of the timeline", file.string()));
  }
  const Timeline timeline = read(file);
  const Summary summary = summarize(timeline, longest_on_page);
  std::ofstream stream(page_file, std::ios::binary);
  stream << page(timeline, summary) << std::flush;
  if (!stream) throw std::runtime_error(fmt::format("{}: can't be written", page_file.string()));
  print(timeline, summary);
  fmt::print("\npage: {}\n", page_file.string());
  return 0;
}

}  // namespace trace
