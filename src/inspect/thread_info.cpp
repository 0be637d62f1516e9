#include "inspect/thread_info.h"

#include <limits>

namespace tutti::inline TUTTI_ABI::inspect {

namespace {

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

}  // namespace

ThreadInfo info_of(const runtime::Slot& slot, runtime::ThreadId id,
                   const runtime::WaitRecord& record,
                   const std::optional<runtime::WaitDetails>& details, std::int64_t now) {
  const std::uint32_t flags = slot.flags.load(platform::relaxed);
  ThreadInfo info;
  info.ident = id;
  info.native_id = slot.thread.load(platform::relaxed);
  info.name = slot.name.get();
  info.daemon = (flags & runtime::Slot::daemon_flag) != 0;
  info.main = (flags & runtime::Slot::main_flag) != 0;
  info.foreign = (flags & runtime::Slot::foreign_flag) != 0;
  info.time_left = std::numeric_limits<double>::infinity();
  if (record.kind == runtime::WaitKind::none) return info;
  info.blocked_for = seconds(now - record.since);
  if (record.deadline != platform::never) info.time_left = seconds(record.deadline - now);
  if (!details) return info;
  info.object_name = details->object_name;
  info.holder = details->holder;
  const std::span<const std::uintptr_t> stack = details->stack.view();
  info.stack.assign(stack.begin(), stack.end());
  return info;
}

std::string holder_name(const WaitGraph& graph, const ThreadInfo& info) {
  const ThreadInfo* holder =
      info.state.blocked_on.kind == runtime::WaitKind::join ? nullptr : graph.find(info.holder);
  return holder == nullptr ? "" : holder->name;
}

}  // namespace tutti::inline TUTTI_ABI::inspect
