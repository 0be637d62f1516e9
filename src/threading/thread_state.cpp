#include "tutti/threading/thread_state.h"

#include <ostream>

#include "runtime/describe.h"
#include "threading/report_state.h"
#include "threading/roster.h"

namespace tutti::inline TUTTI_ABI::threading {

namespace {

Phase phase_of(WaitKind kind) noexcept {
  switch (kind) {
    case WaitKind::lock:
    case WaitKind::rlock:
    case WaitKind::mutex:
    case WaitKind::rwlock:
      return Phase::blocked_in_lock_pool;
    case WaitKind::condition:
    case WaitKind::semaphore:
    case WaitKind::event:
    case WaitKind::barrier:
    case WaitKind::queue_empty:
    case WaitKind::queue_full:
    case WaitKind::queue_join:
    case WaitKind::future:
    case WaitKind::futures:
    case WaitKind::work:
      return Phase::blocked_in_wait_pool;
    default:
      return Phase::blocked_otherwise;
  }
}

}  // namespace

ThreadState state_of(const runtime::Slot& slot) noexcept {
  return state_of(slot, runtime::read_record(slot));
}

ThreadState recorded_state_of(const runtime::Slot& slot,
                              const runtime::WaitRecord& record) noexcept {
  if (slot.phase() == runtime::SlotPhase::starting || record.woken) {
    return {Phase::ready, {}};
  }
  if (record.kind != WaitKind::none) {
    return {phase_of(record.kind), {record.kind, reinterpret_cast<const void*>(record.object)}};
  }
  return {Phase::running, {}};
}

ThreadState state_of(const runtime::Slot& slot, const runtime::WaitRecord& record) noexcept {
  const ThreadState state = recorded_state_of(slot, record);
  // Not in one of our waits; but it may sleep in a system call.
  if (state == Phase::running && platform::is_asleep(slot.thread.load(platform::relaxed))) {
    return {Phase::blocked_otherwise, {WaitKind::io, nullptr}};
  }
  return state;
}

const char* to_string(Phase phase) noexcept {
  switch (phase) {
    case Phase::new_thread:
      return "new";
    case Phase::ready:
      return "ready";
    case Phase::running:
      return "running";
    case Phase::blocked_in_lock_pool:
      return "blocked (lock pool)";
    case Phase::blocked_in_wait_pool:
      return "blocked (wait pool)";
    case Phase::blocked_otherwise:
      return "blocked (other)";
    case Phase::dead:
      return "dead";
  }
  return "?";
}

std::string BlockedOn::to_string() const {
  if (kind == WaitKind::none) return "";
  if (kind == WaitKind::join) {
    const auto joined = roster::find(object);
    return "join of " + (joined == nullptr ? "a thread" : joined->name());
  }
  return object == nullptr ? runtime::to_string(kind) : runtime::describe(kind, object);
}

std::string ThreadState::to_string() const {
  std::string text = threading::to_string(phase);
  if (blocked_on.kind == WaitKind::none) return text;
  text.back() = ':';  // "blocked (lock pool)" → "blocked (lock pool: Lock at 0x…)"
  return text + " " + blocked_on.to_string() + ")";
}

std::ostream& operator<<(std::ostream& stream, Phase phase) {
  return stream << to_string(phase);
}

std::ostream& operator<<(std::ostream& stream, const ThreadState& state) {
  return stream << state.to_string();
}

}  // namespace tutti::inline TUTTI_ABI::threading
