#include "multiprocessing/ring.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "platform/segment.h"
#include "runtime/describe.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using namespace lanes;
using platform::page;

constexpr std::size_t header_size = 4 * page;
static_assert(sizeof(RingHeader) <= header_size);

constexpr std::uint32_t largest_lane = 1U << 28;
/// What is kept once it was used; the pages of larger lanes are given back.
constexpr std::uint32_t largest_kept_lane = (16U << 20) / unit;

/// A queue takes this part of the machine's memory at most.
constexpr std::size_t share_of_memory = 4;

}  // namespace

// --- making --------------------------------------------------------------------------------------

Ring Ring::make(std::uint32_t limit) {
  constexpr std::size_t least = header_size + 2 * smallest_lane * unit;
  const std::size_t most =
      header_size + platform::memory_of_machine() / share_of_memory / page * page;
  Segment segment = Segment::make_largest(std::max(most, least), least, "tutti-queue");
  auto* const header = reinterpret_cast<RingHeader*>(segment.data());
  header->limit = limit;
  header->magic = RingHeader::expected_magic;
  return Ring(std::move(segment));
}

Ring::Ring(Segment segment)
    : segment_(std::move(segment)), header_(reinterpret_cast<RingHeader*>(segment_.data())) {
  if (segment_.size() < header_size + smallest_lane * unit ||
      header_->magic != RingHeader::expected_magic) {
    throw ValueError("this shared memory is not that of a queue");
  }
  limit_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(header_->limit, most_items));
  lay_out_lanes();
}

// Two of each size, from the smallest on, as far as the memory goes; of the largest, more. It
// follows from the size alone, which nobody can change, so that every process finds the same.
void Ring::lay_out_lanes() {
  std::size_t offset = header_size;
  for (std::uint32_t number = 0; number < Place::most_lanes; ++number) {
    const std::uint32_t units = std::min<std::uint32_t>(
        number / 2 > 14 ? largest_lane : smallest_lane << number / 2, largest_lane);
    if (segment_.size() - offset < units * unit) break;
    lanes_[number] = {offset, units};
    offset += units * unit;
    lane_count_ = number + 1;
  }
}

std::size_t Ring::largest_item() const noexcept {
  // In an empty lane of twice the size there is room for it wherever tail is, and a mark besides.
  return (lanes_[lane_count_ - 1].units / 2 - 1) * unit - heading_size;
}

// Loaded twice with the same result, `head` has not moved in between; see queue/core.cpp.
std::uint32_t Ring::size() const noexcept {
  for (;;) {
    const Place at = head();
    const Place end = tail();
    if (head().word() != at.word()) continue;
    return end.is_dropped() ? 0 : items_between(at, end);
  }
}

// --- putting -------------------------------------------------------------------------------------

std::optional<Ring::Room> Ring::room_elsewhere(Place tail, std::size_t size) {
  refresh_seen_head();
  const Place head(header_->putters.seen.load(platform::relaxed));
  if (items_between(head, tail) >= limit_) return std::nullopt;
  const std::uint32_t here = lane_at(tail.lane()).units;
  const auto spacious = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(3 * units_for(size), smallest_lane, largest_lane));
  if (has_little(head, tail) && spacious <= here / 2) {
    if (auto room = room_in_other_lane(tail, head, size, spacious, here / 2)) return room;
  }
  if (auto room = room_in_lane(tail, head, size)) return room;
  return room_in_other_lane(tail, head, size, std::max(spacious, std::min(2 * here, largest_lane)),
                            largest_lane);
}

// The smallest free lane from `wanted` units up to `most`; else, the largest one in which there is
// room at all, if `most` is no bound.
std::optional<Ring::Room> Ring::room_in_other_lane(Place tail, Place head, std::size_t size,
                                                   std::uint32_t wanted, std::uint32_t most) {
  const std::uint32_t in_use = lanes_in_use(head, tail);
  const std::uint64_t units = units_for(size);
  std::optional<std::uint32_t> found;
  for (std::uint32_t number = 0; number < lane_count_; ++number) {
    const std::uint32_t here = lanes_[number].units;
    if ((in_use >> number & 1) != 0 || here <= units || here > most) continue;
    if (here < wanted && most != largest_lane) continue;
    found = number;
    if (here >= wanted) break;
  }
  if (!found) return std::nullopt;
  // The mark lies past tail still, and what follows a tail is not looked at: if this put ends here,
  // nothing has happened. release: pairs with the acquire in lanes_in_use() of one who has
  // inherited the lock without a release.
  write_heading(unit_at(lane_at(tail.lane()), tail.position()),
                heading(Kind::to_lane, tail.count(), *found));
  header_->next[tail.lane()].store(*found, platform::release);
  std::byte* const record = unit_at(lanes_[*found], 0);
  write_heading(record, heading(Kind::item, tail.count(), size));
  return Room{{record + heading_size, size},
              Place(*found, tail.count() + 1, static_cast<std::uint32_t>(units))};
}

std::uint32_t Ring::lanes_in_use(Place head, Place tail) const {
  std::uint32_t in_use = 0;
  for (std::uint32_t lane = head.lane();; lane = header_->next[lane].load(platform::acquire)) {
    if (lane >= lane_count_ || (in_use >> lane & 1) != 0) throw_damaged("its lanes form no line");
    in_use |= 1U << lane;
    if (lane == tail.lane()) return in_use;
  }
}

bool Ring::has_little(Place head, Place tail) const {
  if (head.lane() != tail.lane()) return false;
  const std::uint32_t used = (tail.position() - head.position()) & Place::position_mask;
  return used <= lane_at(tail.lane()).units / 8;
}

// Before head is stored: until then no putter takes the lane. And so another getter may have to go
// once more where this one went: the pages where it begins, and where it found the mark, stay.
void Ring::give_back_lane(const Item& item) noexcept {
  const Lane& lane = lanes_[item.before.lane()];
  if (lane.units <= largest_kept_lane) return;
  const auto page_of = [&](std::uint32_t position) {
    return std::size_t{position & (lane.units - 1)} * unit / page;
  };
  const auto [first, second] = std::minmax({page_of(item.before.position()), page_of(item.mark)});
  const auto drop = [&](std::size_t from, std::size_t to) {
    if (from >= to) return;
    platform::drop_pages(segment_.descriptor(), lane.offset + from * page, (to - from) * page);
  };
  drop(0, first);
  drop(first + 1, second);
  drop(second + 1, lane.units * unit / page);
}

// --- the end -------------------------------------------------------------------------------------

// The store of tail is what counts. If the caller is killed after it, who inherits the getters'
// lock looks at tail again.
void Ring::shut(bool dropping) noexcept {
  std::uint64_t word = header_->tail.load(platform::acquire) | Place::shut_bit;
  if (dropping) word |= Place::dropped_bit;
  header_->tail.store(word, platform::seq_cst);
  refresh_seen_tail();
}

void Ring::throw_damaged(const char* what) const {
  throw RuntimeError(runtime::describe_quickly("Queue", header_) +
                     ": its shared memory is damaged: " + what + runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
