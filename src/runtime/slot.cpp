// The wait record: a sequence lock with one writer, the slot's own thread.
#include "runtime/slot.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

// The writer makes the stamp odd, writes, and makes it even again. Each field is stored with
// release and loaded with acquire, so a reader that saw any new field also sees the odd stamp (or a
// later one) when it reads the stamp again, and starts over. No fences, which ThreadSanitizer can't
// follow.
void write_record(Slot& slot, WaitKind kind, std::uint64_t object, std::int64_t since,
                  std::int64_t deadline) noexcept {
  const std::uint32_t stamp = slot.record_stamp.load(platform::relaxed);
  slot.record_stamp.store(stamp + 1, platform::relaxed);
  slot.kind.store(kind, platform::release);
  slot.object.store(object, platform::release);
  slot.since.store(since, platform::release);
  slot.deadline.store(deadline, platform::release);
  slot.record_stamp.store(stamp + 2, platform::release);
}

}  // namespace

void publish_record(Slot& slot, WaitKind kind, const void* object, std::int64_t deadline) noexcept {
  write_record(slot, kind, reinterpret_cast<std::uintptr_t>(object), platform::now(), deadline);
}

void clear_record(Slot& slot) noexcept {
  write_record(slot, WaitKind::none, 0, 0, platform::never);
}

WaitRecord read_record(const Slot& slot) noexcept {
  for (;;) {
    WaitRecord record;
    record.stamp = slot.record_stamp.load(platform::acquire);
    if (record.stamp % 2 == 0) {
      record.kind = slot.kind.load(platform::acquire);
      record.object = slot.object.load(platform::acquire);
      record.since = slot.since.load(platform::acquire);
      record.deadline = slot.deadline.load(platform::acquire);
      record.woken =
          record.kind != WaitKind::none && slot.wake.load(platform::acquire) == Wake::woken;
      if (slot.record_stamp.load(platform::relaxed) == record.stamp) return record;
    }
    platform::yield();
  }
}

const char* to_string(WaitKind kind) noexcept {
  switch (kind) {
    case WaitKind::none:
      return "nothing";
    case WaitKind::lock:
      return "Lock";
    case WaitKind::rlock:
      return "RLock";
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
  }
  return "?";
}

}  // namespace tutti::inline TUTTI_ABI::runtime
