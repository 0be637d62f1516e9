#include "tutti/inspect/stats.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/describe.h"
#include "runtime/registry.h"
#include "runtime/wait_graph.h"
#include "sync/wait_stats.h"
#include "tutti/queue/base.h"
#include "tutti/sync/lock_cell.h"

namespace tutti::inline TUTTI_ABI::inspect {

namespace {

using runtime::ThreadId;
using runtime::WaitKind;

/// An object for which threads have waited in one way, or do so now.
struct Place {
  sync::WaitStats stats;
  ThreadId owner = 0;
  std::size_t size = 0;
  std::size_t waiting = 0;
};

bool is_queue(WaitKind kind) {
  return kind == WaitKind::queue_full || kind == WaitKind::queue_empty;
}

// Empty if nobody has it.
std::string name_of_owner(ThreadId owner) {
  const auto known = owner == 0 ? std::nullopt : runtime::identity_of(owner);
  return known ? known->name.data() : "";
}

// Of an object that lives: see for_each_wait_stats().
void add_known(void* places, const sync::WaitStats& stats) {
  Place place{.stats = stats};
  if (runtime::is_of_lock(stats.kind)) {
    place.owner = static_cast<const sync::LockCell*>(stats.object)->owner();
  } else {
    place.size = static_cast<const queue::QueueBase*>(stats.object)->qsize();
  }
  static_cast<std::vector<Place>*>(places)->push_back(std::move(place));
}

void add_waiting(std::vector<Place>& places, const runtime::Slot& slot, std::int64_t now) {
  const runtime::WaitRecord record = runtime::read_record(slot);
  if (!runtime::is_of_lock(record.kind) && !is_queue(record.kind)) return;
  const auto* const object = reinterpret_cast<const void*>(record.object);
  auto place = std::find_if(places.begin(), places.end(), [&](const Place& other) {
    return other.stats.object == object && other.stats.kind == record.kind;
  });
  if (place == places.end()) {
    Place first{.stats = {.object = object, .kind = record.kind}};
    if (const auto details = runtime::read_details(slot, record)) first.owner = details->holder;
    place = places.insert(place, std::move(first));
  }
  ++place->waiting;
  if (now - record.since <= place->stats.longest) return;
  place->stats.longest = now - record.since;
  place->stats.longest_by = slot.name.bytes();
}

std::vector<Place> all_places() {
  std::vector<Place> places;
  sync::for_each_wait_stats(add_known, &places);
  const std::int64_t now = platform::now();
  for (std::uint32_t number = 1; number <= runtime::last_slot(); ++number) {
    const runtime::Slot& slot = runtime::slot_at(number);
    if (runtime::is_living(runtime::id_of(slot))) add_waiting(places, slot, now);
  }
  return places;
}

Waits waits_of(const Place& place) {
  return {.count = place.stats.waits,
          .now = place.waiting,
          .longest = static_cast<double>(place.stats.longest) / 1e9,
          .longest_by = place.stats.longest_by.data()};
}

// --- tables --------------------------------------------------------------------------------------

std::string line(const std::string& name, const Waits& waits) {
  char text[160];
  std::snprintf(text, sizeof text, "%-32s %9llu %8zu %10.6f s  %-16s", name.c_str(),
                static_cast<unsigned long long>(waits.count), waits.now, waits.longest,
                waits.longest_by.c_str());
  return text;
}

std::string title(const char* name) {
  char text[160];
  std::snprintf(text, sizeof text, "%-32s %9s %8s %12s  %-16s", name, "waits", "waiting", "longest",
                "by");
  return text;
}

}  // namespace

std::vector<LockStats> lock_stats() {
  std::vector<LockStats> all;
  for (const Place& place : all_places()) {
    if (!runtime::is_of_lock(place.stats.kind)) continue;
    all.push_back({.lock = runtime::describe(place.stats.kind, place.stats.object),
                   .address = place.stats.object,
                   .waits = waits_of(place),
                   .hand_offs = place.stats.hand_offs,
                   .owner = name_of_owner(place.owner)});
  }
  std::sort(all.begin(), all.end(), [](const LockStats& a, const LockStats& b) {
    return a.waits.longest > b.waits.longest;
  });
  return all;
}

std::vector<QueueStats> queue_stats() {
  std::vector<QueueStats> all;
  for (const Place& place : all_places()) {
    if (!is_queue(place.stats.kind)) continue;
    auto stats = std::find_if(all.begin(), all.end(), [&place](const QueueStats& other) {
      return other.address == place.stats.object;
    });
    if (stats == all.end()) {
      QueueStats first;
      first.queue = runtime::describe("Queue", place.stats.object);
      first.address = place.stats.object;
      stats = all.insert(stats, std::move(first));
    }
    stats->size = std::max(stats->size, place.size);
    (place.stats.kind == WaitKind::queue_full ? stats->puts : stats->gets) = waits_of(place);
  }
  const auto longest = [](const QueueStats& stats) {
    return std::max(stats.puts.longest, stats.gets.longest);
  };
  std::sort(all.begin(), all.end(), [&longest](const QueueStats& a, const QueueStats& b) {
    return longest(a) > longest(b);
  });
  return all;
}

void reset_stats() noexcept {
  sync::reset_wait_stats();
}

void print_stats(std::ostream& stream) {
  std::ostringstream text;
  if (const auto locks = lock_stats(); !locks.empty()) {
    text << title("lock") << " hand-offs  owner\n";
    for (const LockStats& stats : locks) {
      char more[32];
      std::snprintf(more, sizeof more, " %9llu  ",
                    static_cast<unsigned long long>(stats.hand_offs));
      text << line(stats.lock, stats.waits) << more << stats.owner << '\n';
    }
  }
  if (const auto queues = queue_stats(); !queues.empty()) {
    text << title("queue") << "     items\n";
    for (const QueueStats& stats : queues) {
      for (const auto& [side, waits] :
           {std::pair{"put to ", &stats.puts}, std::pair{"get from ", &stats.gets}}) {
        if (waits->count + waits->now == 0) continue;
        char more[32];
        std::snprintf(more, sizeof more, " %9zu", stats.size);
        text << line(side + stats.queue, *waits) << more << '\n';
      }
    }
  }
  stream << text.str() << std::flush;
}

}  // namespace tutti::inline TUTTI_ABI::inspect
