// The wait record: a sequence lock. Its writers, the slot's own thread and those who move it to
// another queue, exclude each other by the stamp.
#include "runtime/slot.h"

#include <algorithm>
#include "runtime/trace.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

// A writer makes the stamp odd, writes, and makes it even again. Each field is stored with release
// and loaded with acquire, so a reader that saw any new field also sees the odd stamp (or a later
// one) when it reads the stamp again, and starts over. No fences, which ThreadSanitizer can't
// follow.
class RecordWriter {
 public:
  explicit RecordWriter(Slot& slot) noexcept : slot_(slot) {
    stamp_ = slot.record_stamp.load(platform::relaxed) & ~1u;
    // acquire: pairs with the release below; what the last writer wrote, here or to a Reason, is
    // seen.
    while (!slot.record_stamp.compare_exchange_weak(stamp_, stamp_ + 1, platform::acquire,
                                                    platform::relaxed)) {
      stamp_ &= ~1u;
      platform::yield();  // The other writer may need this core to finish.
    }
  }
  ~RecordWriter() { slot_.record_stamp.store(stamp_ + 2, platform::release); }
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  void set_reason(WaitKind kind, const void* object,
                  platform::Reach reach = platform::Reach::process) noexcept {
    slot_.kind.store(kind, platform::release);
    slot_.object.store(reinterpret_cast<std::uintptr_t>(object), platform::release);
    slot_.reach.store(reach, platform::release);
  }
  void set_times(std::int64_t since, std::int64_t deadline) noexcept {
    slot_.since.store(since, platform::release);
    slot_.deadline.store(deadline, platform::release);
  }
  void set_may_fail(bool may_fail) noexcept {
    slot_.may_fail.store(may_fail ? 1 : 0, platform::release);
  }

 private:
  Slot& slot_;
  std::uint32_t stamp_;
};

}  // namespace

// publish_record() says that it publishes and then reads the reason; amend_record() writes the
// reason and then reads whether it is published: all seq_cst, so at least one of them sees what the
// other has written (Dekker's pattern). A waiter that still spins is not published, and its waker
// need not touch the slot on which it spins.
void publish_record(Slot& slot, const Reason& reason, std::int64_t deadline,
                    bool may_fail) noexcept {
  reason.is_published.store(true, platform::seq_cst);
  WaitKind kind;
  do {
    const std::int64_t now = platform::now();
    RecordWriter record(slot);
    kind = reason.kind.load(platform::seq_cst);
    record.set_reason(kind, reason.object.load(platform::relaxed), reason.reach);
    record.set_times(now, deadline);
    record.set_may_fail(may_fail);
  } while (reason.kind.load(platform::seq_cst) != kind);
}

void clear_record(Slot& slot) noexcept {
  RecordWriter record(slot);
  record.set_reason(WaitKind::none, nullptr);
  record.set_times(0, platform::never);
}

void amend_record(Slot& slot, Reason& reason, WaitKind kind, const void* object) noexcept {
  if (trace::is_on()) trace::moves(slot, kind, object);
  reason.object.store(object, platform::relaxed);
  reason.kind.store(kind, platform::seq_cst);
  if (!reason.is_published.load(platform::seq_cst)) return;
  RecordWriter record(slot);
  record.set_reason(kind, object);
  record.set_times(platform::now(), platform::never);
  record.set_may_fail(false);  // It is sure to be woken, and has to wait for that.
}

std::optional<WaitRecord> try_read_record(const Slot& slot) noexcept {
  WaitRecord record;
  record.stamp = slot.record_stamp.load(platform::acquire);
  if (record.stamp % 2 != 0) return std::nullopt;
  record.kind = slot.kind.load(platform::acquire);
  record.object = slot.object.load(platform::acquire);
  record.since = slot.since.load(platform::acquire);
  record.deadline = slot.deadline.load(platform::acquire);
  record.may_fail = slot.may_fail.load(platform::acquire) != 0;
  record.reach = slot.reach.load(platform::acquire);
  // The wake word means something in waits of ours only, and those for descriptors are none; at
  // rest it is left as it was.
  const bool is_our_wait = record.kind != WaitKind::none && record.kind != WaitKind::io &&
                           record.kind != WaitKind::process;
  record.woken = is_our_wait && slot.wake.load(platform::acquire) == Wake::woken;
  if (slot.record_stamp.load(platform::relaxed) != record.stamp) return std::nullopt;
  return record;
}

WaitRecord read_record(const Slot& slot) noexcept {
  for (;;) {
    if (const auto record = try_read_record(slot)) return *record;
    platform::yield();
  }
}

// A second sequence lock, with one writer: details_stamp is 0 while they are written.
void publish_details(Slot& slot, std::uint32_t stamp, const WaitDetails& details) noexcept {
  slot.details_stamp.store(0, platform::relaxed);
  // release, each: whoever reads a new value sees that the stamp is no longer the old one.
  slot.holder.store(details.holder, platform::release);
  slot.holders_wait.store(details.holders_wait, platform::release);
  slot.answered.store(details.answered, platform::release);
  slot.object_name.set(details.object_name);
  for (std::size_t i = 0; i < details.stack.depth; ++i) {
    slot.stack[i].store(details.stack.calls[i], platform::release);
  }
  slot.stack_depth.store(static_cast<std::uint32_t>(details.stack.depth), platform::release);
  slot.details_stamp.store(stamp, platform::release);
}

std::optional<WaitDetails> read_details(const Slot& slot, const WaitRecord& record) {
  const std::uint32_t stamp = slot.details_stamp.load(platform::acquire);
  if (stamp == 0 || stamp != record.stamp) return std::nullopt;
  WaitDetails details;
  details.holder = slot.holder.load(platform::acquire);
  details.holders_wait = slot.holders_wait.load(platform::acquire);
  details.answered = slot.answered.load(platform::acquire);
  details.object_name = slot.object_name.get();
  // A copy of another program's slot may hold anything.
  details.stack.depth =
      std::min<std::size_t>(slot.stack_depth.load(platform::acquire), platform::CallStack::deepest);
  for (std::size_t i = 0; i < details.stack.depth; ++i) {
    details.stack.calls[i] = static_cast<std::uintptr_t>(slot.stack[i].load(platform::acquire));
  }
  if (slot.details_stamp.load(platform::relaxed) != stamp) return std::nullopt;
  return details;
}

const char* to_string(WaitKind kind) noexcept {
  switch (kind) {
    case WaitKind::none:
      return "nothing";
    case WaitKind::lock:
      return "Lock";
    case WaitKind::rlock:
      return "RLock";
    case WaitKind::mutex:
      return "mutex";
    case WaitKind::rwlock:
      return "rwlock";
    case WaitKind::condition:
      return "Condition";
    case WaitKind::semaphore:
      return "Semaphore";
    case WaitKind::event:
      return "Event";
    case WaitKind::barrier:
      return "Barrier";
    case WaitKind::join:
      return "join";
    case WaitKind::sleep:
      return "sleep";
    case WaitKind::io:
      return "I/O";
    case WaitKind::queue_empty:
      return "empty Queue";
    case WaitKind::queue_full:
      return "full Queue";
    case WaitKind::queue_join:
      return "tasks of Queue";
    case WaitKind::future:
      return "Future";
    case WaitKind::futures:
      return "one of several Futures";
    case WaitKind::work:
      return "work for ThreadPoolExecutor";
    case WaitKind::process:
      return "process";
  }
  return "?";
}

}  // namespace tutti::inline TUTTI_ABI::runtime
