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
  std::array<WaitStats, 16> all;

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

constexpr std::size_t shelf_count = 64;
constinit std::array<Shelf, shelf_count> shelves{};

/// Of one shelf, in a cache line of its own.
struct alignas(64) ShelfGuard : runtime::Guard {};
// Apart from the shelves, in one page: all are taken over a fork, and each page that is written to
// after one costs parent and child a copy.
alignas(4096) constinit std::array<ShelfGuard, shelf_count> guards{};

std::size_t number_of_shelf(const void* object) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  return static_cast<std::uint64_t>(address * 0x9e3779b97f4a7c15u) >> 58;
}

/// The shelf of an object, for as long as this lives.
class HeldShelf {
 public:
  explicit HeldShelf(const void* object) noexcept : HeldShelf(number_of_shelf(object)) {}
  explicit HeldShelf(std::size_t number) noexcept
      : held_(guards[number]), shelf_(shelves[number]) {}
  Shelf* operator->() const noexcept { return &shelf_; }

 private:
  const GuardHolder held_;
  Shelf& shelf_;
};

void lock_all() {
  for (ShelfGuard& guard : guards) guard.lock();
}
void unlock_all() {
  for (ShelfGuard& guard : guards) guard.unlock();
}

[[maybe_unused]] const bool prepared = (prepare_wait_stats(), true);

}  // namespace

void prepare_wait_stats() noexcept {
  static const bool once = [] {
    if (!platform::needs_detector) return false;
    platform::around_fork({lock_all, unlock_all, unlock_all});
    runtime::at_forgetting([](const void* object) {
      const HeldShelf shelf(object);
      for (WaitStats& stats : shelf->all) {
        if (stats.object == object) Shelf::clear(stats);
      }
    });
    return true;
  }();
  (void)once;
}

void note_wait_begins(runtime::WaitKind kind, const void* object) noexcept {
  if (!platform::needs_detector) return;
  HeldShelf(object)->place_for(kind, object);
}

void note_wait(const runtime::Self& self, runtime::WaitKind kind, const void* object,
               std::int64_t since, bool was_handed_over) noexcept {
  if (!platform::needs_detector) return;
  const std::int64_t duration = platform::now() - since;
  const HeldShelf shelf(object);
  WaitStats& stats = shelf->place_for(kind, object);
  ++stats.waits;
  if (was_handed_over) ++stats.hand_offs;
  if (duration <= stats.longest) return;
  stats.longest = duration;
  stats.longest_by = self.slot->name.bytes();
}

void for_each_wait_stats(void (*visit)(void*, const WaitStats&), void* argument) {
  for (std::size_t number = 0; number < shelf_count; ++number) {
    const HeldShelf shelf(number);
    for (const WaitStats& stats : shelf->all) {
      if (stats.object != nullptr) visit(argument, stats);
    }
  }
}

void reset_wait_stats() noexcept {
  for (std::size_t number = 0; number < shelf_count; ++number) {
    const HeldShelf shelf(number);
    for (WaitStats& stats : shelf->all) Shelf::clear(stats);
  }
}

}  // namespace tutti::inline TUTTI_ABI::sync
