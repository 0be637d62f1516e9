#include "runtime/shared_ring.h"

#include <algorithm>
#include <optional>

#include "runtime/asking.h"
#include "runtime/life.h"
#include "runtime/ring_walk.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

// A record or details that are being written will be whole in a moment, unless their writer was
// killed.
constexpr int most_tries = 10;

template <typename Read>
auto read_soon(Read read) {
  auto found = read();
  for (int i = 0; i < most_tries && !found; ++i) {
    platform::yield();
    found = read();
  }
  return found;
}

// Of what other processes bring about, only locks have one owner.
bool may_be_in_ring(const WaitRecord& record) noexcept {
  if (record.deadline != platform::never || record.woken) return false;
  if (record.reach == platform::Reach::machine) return is_of_lock(record.kind);
  return record.kind != WaitKind::none && record.kind != WaitKind::io &&
         record.kind != WaitKind::sleep;
}

std::optional<WaitRecord> read_wait(ThreadId thread) noexcept {
  if (is_dead(thread)) return std::nullopt;
  const Slot& slot = slot_at(slot_number(thread));
  const auto record = read_soon([&] { return try_read_record(slot); });
  // The slot may have become another thread's meanwhile.
  if (!record || !may_be_in_ring(*record) || is_dead(thread)) return std::nullopt;
  return record;
}

std::optional<ToldLink> read_told(ThreadId thread) {
  if (const std::optional<Link> link = read_link(thread)) {
    // A lock that was held over a fork is not its owner's in the parent.
    if (!is_living(link->holder)) return std::nullopt;
    return ToldLink{*link, true, 0, 0};
  }
  const std::optional<WaitRecord> record = read_wait(thread);
  if (!record) return std::nullopt;
  const Slot& slot = slot_at(slot_number(thread));
  const auto details = read_soon([&] { return read_details(slot, *record); });
  if (!details) return std::nullopt;
  return ToldLink{
      {thread, *record, details->holder}, false, details->holders_wait, details->answered};
}

}  // namespace

std::uint32_t wait_of(ThreadId thread) noexcept {
  const std::optional<WaitRecord> record = read_wait(thread);
  return record ? record->stamp : 0;
}

bool SharedRing::is_known(const std::vector<ToldLink>& ring) const noexcept {
  return std::equal(ring.begin(), ring.end(), members_.begin(), members_.end(),
                    [](const ToldLink& one, const ToldLink& other) {
                      return one.thread == other.thread && one.record.stamp == other.record.stamp &&
                             one.holder == other.holder;
                    });
}

// Also those that are looked up here: the others can't do that.
void SharedRing::ask_all() {
  ++times_asked_;
  questions_.assign(members_.size(), 0);
  for (std::size_t i = 1; i < members_.size(); ++i) questions_[i] = ask(members_[i].thread);
}

// The caller itself, at the first place, has told what it waits for after it put the questions. A
// thread of this process that waits for something of this process was looked up just now.
bool SharedRing::is_confirmed(std::size_t place) const noexcept {
  const ToldLink& member = members_[place];
  if (member.is_looked_up) return true;
  const ToldLink& next = members_[(place + 1) % members_.size()];
  return member.holders_wait == next.record.stamp &&
         (place == 0 || is_answered(questions_[place], member.answered));
}

bool SharedRing::look(ThreadId thread, bool asks_again) {
  std::vector<ToldLink> ring = walk_ring<ToldLink>(thread, read_told);
  is_suspected_ = ring.size() > 1;
  if (!is_suspected_) return false;
  const bool is_new = !is_known(ring);
  members_ = std::move(ring);
  if (is_new) {
    times_asked_ = 0;
    ask_all();
    return false;
  }
  bool is_ring = true;
  for (std::size_t i = 0; i < members_.size(); ++i) is_ring = is_ring && is_confirmed(i);
  if (is_ring) {
    return std::all_of(members_.begin(), members_.end(), [](const ToldLink& member) {
      return wait_of(member.thread) == member.record.stamp;
    });
  }
  if (asks_again) {
    ask_all();
  } else {
    for (const ToldLink& member : members_) pass_questions_on(member.thread);
  }
  return false;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
