#include "explore/stuck.h"

#include <optional>
#include <string_view>
#include <vector>

#include "explore/names.h"
#include "runtime/self.h"
#include "threading/thread_control.h"
#include "tutti/sync/lock_cell.h"

namespace tutti::inline TUTTI_ABI::explore {

namespace {

using platform::exploring::scheduler;
using platform::exploring::Strand;

struct Waiting {
  unsigned thread;
  runtime::WaitKind kind;
  const void* object;
  /// Who would have to act, if that is known.
  std::optional<unsigned> holder;
};

std::optional<unsigned> thread_with_id(runtime::ThreadId id) {
  for (unsigned i = 0; id != 0 && i < scheduler().thread_count(); ++i) {
    const auto* self = static_cast<const runtime::Self*>(scheduler().strand(i).current.self);
    if (self != nullptr && self->id == id) return i;
  }
  return std::nullopt;
}

std::optional<unsigned> holder_of(runtime::WaitKind kind, const void* object) {
  switch (kind) {
    case runtime::WaitKind::lock:
    case runtime::WaitKind::rlock:
      return thread_with_id(static_cast<const sync::LockCell*>(object)->owner());
    case runtime::WaitKind::join:
      return thread_with_id(static_cast<const threading::ThreadControl*>(object)->id());
    default:
      return std::nullopt;
  }
}

runtime::WaitKind kind_of(std::string_view operation) {
  if (operation.starts_with("Lock")) return runtime::WaitKind::lock;
  if (operation.starts_with("RLock")) return runtime::WaitKind::rlock;
  if (operation.starts_with("Semaphore")) return runtime::WaitKind::semaphore;
  return operation.starts_with("Thread") ? runtime::WaitKind::join : runtime::WaitKind::none;
}

std::string describe(const Waiting& waiting) {
  const std::string kind = runtime::to_string(waiting.kind);
  std::string text = names().of_thread(waiting.thread) + " waits for ";
  if (waiting.kind == runtime::WaitKind::join) {
    return text + names().of_object(waiting.object, "Thread.join") + " to end";
  }
  text += waiting.object == nullptr ? kind
                                    : names().of_object(waiting.object, (kind + ".wait").c_str());
  if (waiting.holder) {
    text += *waiting.holder == waiting.thread ? ", which it holds itself"
                                              : ", held by " + names().of_thread(*waiting.holder);
  }
  return text;
}

// The ring that a chain of holders from `start` runs into, or nothing.
std::vector<Waiting> ring_from(const Waiting& start, const std::vector<Waiting>& all) {
  std::vector<Waiting> chain{start};
  while (chain.back().holder) {
    const unsigned next = *chain.back().holder;
    for (std::size_t i = 0; i < chain.size(); ++i) {
      if (chain[i].thread == next)
        return {chain.begin() + static_cast<std::ptrdiff_t>(i), chain.end()};
    }
    const Waiting* found = nullptr;
    for (const Waiting& waiting : all) {
      if (waiting.thread == next) found = &waiting;
    }
    if (found == nullptr) return {};
    chain.push_back(*found);
  }
  return {};
}

}  // namespace

Stuck describe_stuck() {
  Stuck stuck;
  std::vector<Waiting> all;
  for (unsigned i = 0; i < scheduler().thread_count(); ++i) {
    const Strand& strand = scheduler().strand(i);
    if (strand.state == Strand::State::ended) continue;
    const auto* self = static_cast<const runtime::Self*>(strand.current.self);
    if (self == nullptr) continue;
    if (!self->is_daemon) stuck.is_failure = true;
    const runtime::WaitRecord record = runtime::read_record(*self->slot);
    auto kind = record.kind;
    const auto* object = reinterpret_cast<const void*>(record.object);
    if (kind == runtime::WaitKind::none) {
      // At a gate, before the wait itself.
      kind = kind_of(strand.pending.name);
      object = strand.pending.object;
    }
    all.push_back({i, kind, object, holder_of(kind, object)});
  }
  std::vector<Waiting> ring;
  for (const Waiting& waiting : all) {
    if (ring = ring_from(waiting, all); !ring.empty()) break;
  }
  if (!ring.empty()) {
    stuck.kind = FailureKind::deadlock;
    stuck.message = ring.size() == 1 ? "a thread waits for itself:"
                                     : std::to_string(ring.size()) + " threads wait in a ring:";
    for (const Waiting& waiting : ring) stuck.message += "\n  " + describe(waiting);
    return stuck;
  }
  stuck.message = "nobody is left to wake the threads that wait:";
  for (const Waiting& waiting : all) stuck.message += "\n  " + describe(waiting);
  return stuck;
}

}  // namespace tutti::inline TUTTI_ABI::explore
