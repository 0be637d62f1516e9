#include "tutti/inspect.h"

#include <cstdio>
#include <iostream>
#include <limits>
#include <ostream>
#include <sstream>

#include "runtime/load.h"
#include "runtime/waiting.h"
#include "threading/report_state.h"

namespace tutti::inline TUTTI_ABI::inspect {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

ThreadInfo info_of(const runtime::Slot& slot, std::int64_t now) {
  const runtime::WaitRecord record = runtime::read_record(slot);
  const std::uint32_t flags = slot.flags.load(platform::relaxed);
  ThreadInfo info;
  info.ident = runtime::id_of(slot);
  info.native_id = slot.thread.load(platform::relaxed);
  info.name = slot.name.get();
  info.daemon = (flags & runtime::Slot::daemon_flag) != 0;
  info.main = (flags & runtime::Slot::main_flag) != 0;
  info.foreign = (flags & runtime::Slot::foreign_flag) != 0;
  info.state = threading::state_of(slot, record);
  info.time_left = infinity;
  if (record.kind != runtime::WaitKind::none) {
    info.blocked_for = seconds(now - record.since);
    if (record.deadline != platform::never) info.time_left = seconds(record.deadline - now);
  }
  return info;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string in_seconds(const char* before, double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%s%.3f s", before, value);
  return text;
}

}  // namespace

std::vector<ThreadInfo> threads() {
  runtime::self();  // So that the caller is in it.
  std::vector<ThreadInfo> found;
  const std::int64_t now = platform::now();
  for (std::uint32_t number = 1; number <= runtime::last_slot(); ++number) {
    const runtime::Slot& slot = runtime::slot_at(number);
    const runtime::ThreadId id = runtime::id_of(slot);
    if (!runtime::is_living(id)) continue;
    ThreadInfo info = info_of(slot, now);
    if (runtime::is_living(id)) found.push_back(std::move(info));
  }
  return found;
}

void dump(std::ostream& stream) {
  std::ostringstream text;
  text << padded("thread", 20) << padded("tid", 9) << "state\n";
  for (const ThreadInfo& info : threads()) {
    std::string name = info.name;
    if (info.daemon) name += " (daemon)";
    text << padded(name, 19) << ' ' << padded(std::to_string(info.native_id), 9) << info.state;
    if (info.blocked_for > 0) text << in_seconds(", for ", info.blocked_for);
    if (info.time_left < infinity) text << in_seconds(", ends in ", info.time_left);
    text << '\n';
  }
  stream << text.str() << std::flush;
}

void dump() {
  dump(std::cerr);
}

Blocking::Blocking() {
  runtime::Self& self = runtime::self();
  if (++self.blocking_elsewhere == 1) runtime::count_runnable(-1);
  runtime::restore_record(self);
}

Blocking::~Blocking() {
  runtime::Self& self = *runtime::registered_self();
  if (--self.blocking_elsewhere == 0) runtime::count_runnable(1);
  runtime::restore_record(self);
}

}  // namespace tutti::inline TUTTI_ABI::inspect
