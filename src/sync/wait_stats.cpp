#include "sync/wait_stats.h"

#include <algorithm>
#include <string>

#include "runtime/forgetting.h"
#include "tutti/runtime/remembered.h"

namespace tutti::inline TUTTI_ABI::sync {

namespace {

using runtime::GuardHolder;

/// What is known about some objects; what one address hashes to. No more than there is room for:
/// whoever needs some takes that of the shortest wait.
struct Shelf {
  runtime::Guard guard;
  std::array<WaitStats, 16> all;

  // The following with the guard held.
  WaitStats& place_for(runtime::WaitKind kind, const void* object) noexcept {
    WaitStats* least = all.data();
    for (WaitStats& stats : all) {
      if (stats.object == object && stats.kind == kind) return stats;
      const bool is_less = stats.object == nullptr || stats.longest < least->longest;
      if (least->object != nullptr && is_less) least = &stats;
    }
    clear(*least);
    least->object = object;
    least->kind = kind;
    runtime::count_remembered(object);
    return *least;
  }
  static void clear(WaitStats& stats) noexcept {
    if (stats.object != nullptr) runtime::count_forgotten(stats.object);
    stats = {};
  }
};

constinit std::array<Shelf, 64> shelves{};

Shelf& shelf_of(const void* object) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  return shelves[static_cast<std::uint64_t>(address * 0x9e3779b97f4a7c15u) >> 58];
}

void lock_all() {
  for (Shelf& shelf : shelves) shelf.guard.lock();
}
void unlock_all() {
  for (Shelf& shelf : shelves) shelf.guard.unlock();
}

[[maybe_unused]] const bool prepared = (prepare_wait_stats(), true);

}  // namespace

void prepare_wait_stats() noexcept {
  static const bool once = [] {
    if (!platform::needs_detector) return false;
    platform::around_fork({lock_all, unlock_all, unlock_all});
    runtime::at_forgetting([](const void* object) {
      Shelf& shelf = shelf_of(object);
      const GuardHolder held(shelf.guard);
      for (WaitStats& stats : shelf.all) {
        if (stats.object == object) Shelf::clear(stats);
      }
    });
    return true;
  }();
  (void)once;
}

void note_wait_begins(runtime::WaitKind kind, const void* object) noexcept {
  if (!platform::needs_detector) return;
  Shelf& shelf = shelf_of(object);
  const GuardHolder held(shelf.guard);
  shelf.place_for(kind, object);
}

void note_wait(const runtime::Self& self, runtime::WaitKind kind, const void* object,
               std::int64_t since, bool was_handed_over) noexcept {
  if (!platform::needs_detector) return;
  const std::int64_t duration = platform::now() - since;
  Shelf& shelf = shelf_of(object);
  const GuardHolder held(shelf.guard);
  WaitStats& stats = shelf.place_for(kind, object);
  ++stats.waits;
  if (was_handed_over) ++stats.hand_offs;
  if (duration <= stats.longest) return;
  stats.longest = duration;
  stats.longest_by = self.slot->name.bytes();
}

void for_each_wait_stats(void (*visit)(void*, const WaitStats&), void* argument) {
  for (Shelf& shelf : shelves) {
    const GuardHolder held(shelf.guard);
    for (const WaitStats& stats : shelf.all) {
      if (stats.object != nullptr) visit(argument, stats);
    }
  }
}

void reset_wait_stats() noexcept {
  for (Shelf& shelf : shelves) {
    const GuardHolder held(shelf.guard);
    for (WaitStats& stats : shelf.all) Shelf::clear(stats);
  }
}

}  // namespace tutti::inline TUTTI_ABI::sync
