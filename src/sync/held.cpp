#include "sync/held.h"

#include <algorithm>
#include <memory>
#include <new>
#include <string>

#include "platform/stack.h"
#include "runtime/chain.h"
#include "runtime/describe.h"
#include "runtime/forgetting.h"
#include "runtime/guard.h"
#include "runtime/settings.h"
#include "runtime/wait_graph.h"
#include "tutti/runtime/remembered.h"

namespace tutti::inline TUTTI_ABI::sync {

namespace {

using runtime::GuardHolder;

struct Entry {
  ThreadId owner;
  Held held;
  Entry* next = nullptr;
  Entry* previous = nullptr;
};

/// The entries of some threads, in the order in which they were made.
struct Shelf {
  runtime::Guard guard;
  runtime::Chain<Entry> entries;

  // The following with the guard held.
  Entry* find(ThreadId owner, const void* lock) const noexcept {
    for (Entry* entry = entries.first(); entry != nullptr; entry = entry->next) {
      if (entry->owner == owner && entry->held.lock == lock) return entry;
    }
    return nullptr;
  }
  std::unique_ptr<Entry> take_out(Entry* entry) noexcept {
    if (entry == nullptr) return nullptr;
    entries.remove(*entry);
    runtime::count_forgotten(entry->held.lock);
    return std::unique_ptr<Entry>(entry);
  }
};

constinit std::array<Shelf, 64> shelves{};

Shelf& shelf_of(ThreadId owner) noexcept {
  return shelves[runtime::slot_number(owner) % shelves.size()];
}

// A lock that goes while it is held.
void forget_lock(const void* lock) {
  for (Shelf& shelf : shelves) {
    std::unique_ptr<Entry> gone;  // Freed without the guard.
    const GuardHolder held(shelf.guard);
    for (Entry* entry = shelf.entries.first(); entry != nullptr; entry = entry->next) {
      if (entry->held.lock != lock) continue;
      gone = shelf.take_out(entry);
      break;
    }
  }
}

// --- fork ----------------------------------------------------------------------------------------

void lock_all() {
  for (Shelf& shelf : shelves) shelf.guard.lock();
}
void unlock_all() {
  for (Shelf& shelf : shelves) shelf.guard.unlock();
}

// The child has what its one thread holds, by the id that the locks carry.
void keep_own() {
  const runtime::Self* const self = runtime::registered_self();
  for (Shelf& shelf : shelves) {
    for (Entry* entry = shelf.entries.first(); entry != nullptr;) {
      Entry* const next = entry->next;
      if (self == nullptr || !self->is(entry->owner)) shelf.take_out(entry);
      entry = next;
    }
  }
  unlock_all();
}

// --- the end of a thread -------------------------------------------------------------------------

void report_what_is_held(runtime::Self& self) {
  try {
    const std::int64_t now = platform::now();
    for (const Held& held : all_held_by(self)) {
      const double seconds = static_cast<double>(now - held.since) / 1e9;
      std::string text = "tutti: " + runtime::describe_calling_thread() + " ends while it holds " +
                         runtime::describe(held.kind, held.lock) +
                         runtime::in_seconds(", acquired ", seconds) + " ago";
      if (const std::string line = platform::user_line(held.stack.view()); !line.empty()) {
        text += " at " + line;
      }
      platform::print_error((text + "\n").c_str());
    }
  } catch (const std::bad_alloc&) {
    platform::print_error("tutti: no memory to report what a thread holds at its end\n");
  }
}

std::optional<runtime::Taking> when_taken(ThreadId owner, const void* lock) noexcept {
  const std::optional<Held> held = held_by(owner, lock);
  return held ? std::optional(runtime::Taking{held->since, held->stack}) : std::nullopt;
}

[[maybe_unused]] const bool prepared = (prepare_held_locks(), true);

}  // namespace

void prepare_held_locks() noexcept {
  static const bool once = [] {
    if (!runtime::are_locks_watched()) return false;
    platform::around_fork({lock_all, unlock_all, keep_own});
    runtime::at_forgetting(forget_lock);
    runtime::before_leaving(report_what_is_held);
    runtime::set_taking_finder(when_taken);
    return true;
  }();
  (void)once;
}

void note_taken(const runtime::Self& self, WaitKind kind, const void* lock) noexcept {
  if (!runtime::are_locks_watched()) return;
  Entry* const entry = new (std::nothrow) Entry;
  if (entry == nullptr) return;  // The lock is held all the same.
  entry->owner = self.id;
  entry->held = {lock, kind, platform::now(), platform::calling_stack()};
  Shelf& shelf = shelf_of(self.id);
  const GuardHolder guard(shelf.guard);
  shelf.entries.push_back(*entry);
  runtime::count_remembered(lock);
}

void note_released(ThreadId owner, const void* lock) noexcept {
  if (!runtime::are_locks_watched()) return;
  Shelf& shelf = shelf_of(owner);
  std::unique_ptr<Entry> gone;  // Freed without the guard.
  const GuardHolder guard(shelf.guard);
  gone = shelf.take_out(shelf.find(owner, lock));
}

std::optional<Held> held_by(ThreadId owner, const void* lock) noexcept {
  Shelf& shelf = shelf_of(owner);
  const GuardHolder guard(shelf.guard);
  const Entry* const entry = shelf.find(owner, lock);
  return entry == nullptr ? std::nullopt : std::optional(entry->held);
}

std::vector<Held> all_held_by(const runtime::Self& self) {
  std::vector<Held> all;
  const auto add = [&all](ThreadId owner) {
    Shelf& shelf = shelf_of(owner);
    const GuardHolder guard(shelf.guard);
    for (const Entry* entry = shelf.entries.first(); entry != nullptr; entry = entry->next) {
      if (entry->owner == owner) all.push_back(entry->held);
    }
  };
  for (const ThreadId earlier : self.earlier_ids) add(earlier);
  add(self.id);
  return all;
}

}  // namespace tutti::inline TUTTI_ABI::sync
