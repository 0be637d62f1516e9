#include "tutti/inspect.h"

#include <cmath>
#include <iostream>
#include <ostream>
#include <sstream>

#include "inspect/thread_info.h"
#include "runtime/describe.h"
#include "runtime/load.h"
#include "runtime/trace.h"
#include "runtime/waiting.h"
#include "sync/lock_order.h"
#include "threading/report_state.h"

namespace tutti::inline TUTTI_ABI::inspect {

namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
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
    const runtime::WaitRecord record = runtime::read_record(slot);
    ThreadInfo info = info_of(slot, id, record, runtime::read_details(slot, record), now);
    info.state = threading::state_of(slot, record);
    if (runtime::is_living(id)) found.push_back(std::move(info));
  }
  return found;
}

void dump(std::ostream& stream) {
  std::ostringstream text;
  text << padded("thread", 20) << padded("tid", 9) << "state\n";
  const WaitGraph graph = wait_graph();
  for (const ThreadInfo& info : graph.threads()) {
    std::string name = info.name;
    if (info.daemon) name += " (daemon)";
    text << padded(name, 19) << ' ' << padded(std::to_string(info.native_id), 9) << info.state;
    if (const std::string holder = holder_name(graph, info); !holder.empty()) {
      text << ", held by " << holder;
    }
    if (info.blocked_for > 0) text << runtime::in_seconds(", for ", info.blocked_for);
    if (std::isfinite(info.time_left)) text << runtime::in_seconds(", ends in ", info.time_left);
    text << '\n';
  }
  stream << text.str() << std::flush;
}

void dump() {
  dump(std::cerr);
}

void hide() noexcept {
  runtime::hide_registry();
}

void trace_to(const std::string& path) {
  runtime::self();
  runtime::trace::start(path);
}

bool stop_trace() {
  return runtime::trace::stop();
}

void mark(std::string_view text) {
  runtime::self();
  runtime::trace::mark(text);
}

std::vector<OrderReport> lock_order_reports() {
  return sync::order_reports();
}

void allow_order(const threading::Named& first, const threading::Named& second) {
  sync::allow_order(&first, &second);
}

Blocking::Blocking() {
  runtime::Self& self = runtime::self();
  if (++self.blocking_elsewhere == 1) runtime::count_runnable(-1);
  runtime::restore_record(self);
  if (self.blocking_elsewhere == 1 && runtime::trace::is_on()) runtime::trace::begins_io();
}

Blocking::~Blocking() {
  runtime::Self& self = *runtime::registered_self();
  if (--self.blocking_elsewhere == 0) {
    runtime::count_runnable(1);
    if (runtime::trace::is_on()) runtime::trace::ends_io();
  }
  runtime::restore_record(self);
}

}  // namespace tutti::inline TUTTI_ABI::inspect
