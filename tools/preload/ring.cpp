// What a thread waits for lies in the program's memory, which may be gone as soon as the wait is
// over. So it is read by a system call that fails where memory is gone, and what was read counts
// only if the wait's stamp is still the same afterwards.
#include "preload/ring.h"

#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "preload/thread.h"

namespace tutti::inline TUTTI_ABI::preload {

namespace {

using runtime::Slot;
using runtime::WaitKind;
using runtime::WaitRecord;

// What mutexes are for sharing between processes, and those that survive their owners, have in
// their kind; part of the C library's binary interface, as the kind itself is.
constexpr int robust_bit = 16;
constexpr int shared_bit = 128;

template <typename Value>
std::optional<Value> read_at(const Value* address) noexcept {
  Value value;
  const iovec to{&value, sizeof value};
  const iovec from{const_cast<Value*>(address), sizeof value};
  const bool is_read = process_vm_readv(getpid(), &to, 1, &from, 1, 0) == ssize_t{sizeof value};
  return is_read ? std::optional(value) : std::nullopt;
}

// The kernel's number of the owner, by the C library's own records.
pid_t owner_of(WaitKind kind, const void* object) noexcept {
  if (kind == WaitKind::mutex) {
    return read_at(&static_cast<const pthread_mutex_t*>(object)->__data.__owner).value_or(0);
  }
  if (kind == WaitKind::rwlock) {
    return read_at(&static_cast<const pthread_rwlock_t*>(object)->__data.__cur_writer).value_or(0);
  }
  return 0;
}

std::optional<Link> read_link(Slot& slot) noexcept {
  const std::optional<WaitRecord> record = runtime::try_read_record(slot);
  if (!record || record->kind == WaitKind::none || record->deadline != platform::never) {
    return std::nullopt;
  }
  const Holder holder = find_holder(record->kind, reinterpret_cast<const void*>(record->object));
  if (holder.slot == nullptr) return std::nullopt;
  if (slot.record_stamp.load(platform::acquire) != record->stamp) return std::nullopt;
  return Link{&slot, *record, holder};
}

// With the same stamp it is the same wait, and a thread that waits can't unlock anything: between
// two looks that agree it has held what it holds.
bool still_holds(const Link& link) noexcept {
  const std::optional<Link> again = read_link(*link.thread);
  return again && again->record.stamp == link.record.stamp &&
         again->holder.slot == link.holder.slot;
}

}  // namespace

Holder find_holder(WaitKind kind, const void* object) noexcept {
  if (kind == WaitKind::join) {
    Slot* joined = find_thread(reinterpret_cast<pthread_t>(object));
    if (joined == nullptr) return {};
    return {static_cast<pid_t>(joined->thread.load(platform::relaxed)), joined};
  }
  const pid_t owner = owner_of(kind, object);
  return {owner, owner == 0 ? nullptr : find_thread(owner)};
}

// Each thread waits for one other at most, so a walk ends or runs into a circle; one without the
// first thread is the business of its members.
std::vector<Link> find_ring(const Slot& slot) {
  std::vector<Link> path;
  auto* next = const_cast<Slot*>(&slot);
  do {
    const std::optional<Link> link = read_link(*next);
    if (!link || path.size() == runtime::last_slot()) return {};
    path.push_back(*link);
    next = link->holder.slot;
    if (next != &slot && path[path.size() / 2].thread == next) return {};
  } while (next != &slot);
  if (!std::all_of(path.begin(), path.end(), still_holds)) return {};
  return path;
}

std::uint64_t mark_of(const std::vector<Link>& ring) noexcept {
  std::uint64_t mark = 0;
  for (const Link& link : ring) {
    const std::uint64_t wait =
        std::uint64_t{link.record.stamp} << 32 | runtime::id_of(*link.thread);
    mark += wait * 0x9e3779b97f4a7c15u;  // A sum, for each member begins with itself.
  }
  return mark;
}

pid_t find_dead_owner(WaitKind kind, const void* object) noexcept {
  if (kind != WaitKind::mutex) return 0;
  const auto& mutex = static_cast<const pthread_mutex_t*>(object)->__data;
  const int mutex_kind = read_at(&mutex.__kind).value_or(shared_bit);
  if ((mutex_kind & (robust_bit | shared_bit)) != 0) return 0;
  const pid_t owner = owner_of(kind, object);
  return owner > 0 && !exists(owner) ? owner : 0;
}

}  // namespace tutti::inline TUTTI_ABI::preload
