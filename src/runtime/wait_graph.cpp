#include "runtime/wait_graph.h"

#include <algorithm>
#include <array>

#include "runtime/load.h"
#include "runtime/ring_walk.h"
#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

constexpr std::size_t kinds = static_cast<std::size_t>(WaitKind::process) + 1;
// Set before main(), by static initialisers.
constinit std::array<atomic<FindHolder>, kinds> finders{};
constinit atomic<FindTaking> taking_finder{nullptr};
constinit atomic<ReleaseForDead> releaser_for_dead{nullptr};

// What the world outside brings about, or another process, is sure to come for all that is known
// here.
bool comes_from_outside(const WaitRecord& record) noexcept {
  return record.kind == WaitKind::io || record.kind == WaitKind::process ||
         record.reach == platform::Reach::machine;
}

bool is_endless(const WaitRecord& record) noexcept {
  return record.kind != WaitKind::none && !comes_from_outside(record) &&
         record.kind != WaitKind::sleep && record.deadline == platform::never && !record.woken;
}

bool all_still_hold(const std::vector<Link>& links) noexcept {
  return std::all_of(links.begin(), links.end(), still_holds);
}

}  // namespace

void set_holder_finder(WaitKind kind, FindHolder find) noexcept {
  finders[static_cast<std::size_t>(kind)].store(find, platform::release);
}

void set_releaser_for_dead(ReleaseForDead release) noexcept {
  releaser_for_dead.store(release, platform::release);
}

void release_for_dead(ThreadId dead, const WaitRecord& record) noexcept {
  releaser_for_dead.load(platform::acquire)(dead, record);
}

void set_taking_finder(FindTaking find) noexcept {
  taking_finder.store(find, platform::release);
}

std::optional<Taking> find_taking(ThreadId owner, const void* lock) noexcept {
  const FindTaking find = taking_finder.load(platform::acquire);
  return find == nullptr ? std::nullopt : find(owner, lock);
}

ThreadId find_holder(ThreadId waiting, const WaitRecord& record) noexcept {
  const FindHolder find = finders[static_cast<std::size_t>(record.kind)].load(platform::acquire);
  return find == nullptr ? 0 : find(waiting, record);
}

std::optional<Link> read_link(ThreadId thread) noexcept {
  if (!is_living(thread)) return std::nullopt;
  const WaitRecord record = read_record(slot_at(slot_number(thread)));
  // The slot may have become another thread's meanwhile.
  if (!is_endless(record) || !is_living(thread)) return std::nullopt;
  return Link{thread, record, find_holder(thread, record)};
}

// The stamp counts the changes of a thread's record, so the same stamp means the same wait, and a
// thread that waits can't acquire or release anything: between two looks at it that agree, what it
// holds and what it waits for was the same. A holder that is blocked, too, holds what it held.
bool still_holds(const Link& link) noexcept {
  const std::optional<Link> again = read_link(link.thread);
  return again && again->record.stamp == link.record.stamp && again->holder == link.holder;
}

std::vector<Link> find_ring(ThreadId thread) {
  std::vector<Link> ring = walk_ring<Link>(thread, read_link);
  if (!all_still_hold(ring)) return {};
  return ring;
}

std::vector<Link> find_stuck_process() {
  // In this order the cheap questions come first.
  if (runnable_threads() > 0 || is_interrupt_pending()) return {};
  std::vector<Link> all;
  int stopped = 0;
  for (std::uint32_t number = 1; number <= last_slot(); ++number) {
    const Slot& slot = slot_at(number);
    const ThreadId id = id_of(slot);
    if (!is_living(id)) continue;
    if ((slot.flags.load(platform::relaxed) & Slot::stopped_flag) != 0) {
      ++stopped;
      continue;
    }
    const std::optional<Link> link = read_link(id);
    if (!link) return {};
    all.push_back(*link);
  }
  // Threads that tutti has never seen might do anything, and so might a handler of a signal.
  const bool knows_all = platform::thread_count() == static_cast<int>(all.size()) + stopped &&
                         !platform::handles_signals();
  if (!knows_all || runnable_threads() > 0 || !all_still_hold(all)) return {};
  return all;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
