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

constexpr std::size_t unit = 16;
constexpr std::size_t page = 4096;
constexpr std::size_t header_size = 4 * page;
static_assert(sizeof(RingHeader) <= header_size);

/// The word before each item, and each mark.
///
///       63   62 61          33 32            0
///     ┌────────┬──────────────┬───────────────┐
///     │ kind   │ count        │ size, or lane │
///     └────────┴──────────────┴───────────────┘
///
/// The count is that of head when a getter comes by, so that a word which was not written for its
/// place is known as such.
enum class Kind : std::uint64_t { none, item, to_beginning, to_lane };
constexpr std::uint64_t size_mask = (std::uint64_t{1} << 33) - 1;

constexpr std::uint64_t heading(Kind kind, std::uint32_t count, std::uint64_t size) {
  return static_cast<std::uint64_t>(kind) << 62 | std::uint64_t{count} << 33 | size;
}

void write_heading(std::byte* at, std::uint64_t word) noexcept {
  std::memcpy(at, &word, sizeof word);
}

constexpr std::size_t heading_size = sizeof(std::uint64_t);

constexpr std::uint64_t units_for(std::size_t size) {
  return (size + heading_size + unit - 1) / unit;
}

constexpr std::uint32_t smallest_lane = (256U << 10) / unit;
constexpr std::uint32_t largest_lane = 1U << 28;
/// What is kept once it was used; the pages of larger lanes are given back.
constexpr std::uint32_t largest_kept_lane = (16U << 20) / unit;

/// A queue takes this part of the machine's memory at most.
constexpr std::size_t share_of_memory = 4;

}  // namespace

// --- making --------------------------------------------------------------------------------------

Ring Ring::make(std::uint32_t limit) {
  const std::size_t size = std::max<std::size_t>(platform::memory_of_machine() / share_of_memory,
                                                 2 * smallest_lane * unit) /
                           page * page;
  Segment segment = Segment::make(header_size + size, "tutti-queue");
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
  platform::keep_out_of_core_dumps(segment_.data(), segment_.size());
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

const Ring::Lane& Ring::lane_at(std::uint32_t number) const {
  if (number >= lane_count_) throw_damaged("there is no such lane");
  return lanes_[number];
}

std::byte* Ring::unit_at(const Lane& lane, std::uint32_t position) const noexcept {
  return segment_.data() + lane.offset + std::size_t{position & (lane.units - 1)} * unit;
}

// --- putting -------------------------------------------------------------------------------------

// acquire, here and where heads are loaded: pairs with commit(Item); what getters have read there
// is not written over before. A head that was seen earlier shows less room than there is; its lane
// was in use when tail entered the present one, so it is not taken for this one.
std::optional<Ring::Room> Ring::room_for(std::size_t size) {
  const Place tail(header_->tail.load(platform::acquire));
  Place head(header_->putters.seen.load(platform::acquire));
  const bool in_small_lane = lane_at(tail.lane()).units == smallest_lane;
  if (in_small_lane) {
    if (auto room = room_in_lane(tail, head, size)) return room;
  }
  refresh_seen_head();
  head = Place(header_->putters.seen.load(platform::relaxed));
  if (items_between(head, tail) >= limit_) return std::nullopt;
  const std::uint32_t here = lane_at(tail.lane()).units;
  const auto spacious = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(3 * units_for(size), smallest_lane, largest_lane));
  if (!in_small_lane && has_little(head, tail) && spacious <= here / 2) {
    if (auto room = room_in_other_lane(tail, head, size, spacious, here / 2)) return room;
  }
  if (auto room = room_in_lane(tail, head, size)) return room;
  return room_in_other_lane(tail, head, size, std::max(spacious, std::min(2 * here, largest_lane)),
                            largest_lane);
}

std::optional<Ring::Room> Ring::room_in_lane(Place tail, Place head, std::size_t size) const {
  if (items_between(head, tail) >= limit_) return std::nullopt;
  const Lane& lane = lane_at(tail.lane());
  // In a lane that head has not reached yet, records begin at 0.
  const std::uint32_t begin = head.lane() == tail.lane() ? head.position() : 0;
  const std::uint32_t used = (tail.position() - begin) & Place::position_mask;
  if (used >= lane.units) throw_damaged("a lane holds more than it can");
  const std::uint64_t units = units_for(size);
  const std::uint32_t to_end = lane.units - (tail.position() & (lane.units - 1));
  const std::uint32_t skipped = units <= to_end ? 0 : to_end;
  // One more for a mark.
  if (used + skipped + units + 1 > lane.units) return std::nullopt;
  if (skipped != 0) {
    write_heading(unit_at(lane, tail.position()), heading(Kind::to_beginning, tail.count(), 0));
  }
  const std::uint32_t position = tail.position() + skipped;
  std::byte* const record = unit_at(lane, position);
  write_heading(record, heading(Kind::item, tail.count(), size));
  return Room{{record + heading_size, size},
              Place(tail.lane(), tail.count() + 1, position + static_cast<std::uint32_t>(units))};
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

// release: pairs with the acquire in item_at(); the item is read as it was written. seq_cst besides
// is for Sleepers.
void Ring::commit(const Room& room) noexcept {
  header_->tail.store(room.after.word(), platform::seq_cst);
}

void Ring::refresh_seen_head() noexcept {
  header_->putters.seen.store(header_->head.load(platform::acquire), platform::release);
}

// --- getting -------------------------------------------------------------------------------------

std::optional<Ring::Item> Ring::next_item() {
  return item_at(Place(header_->head.load(platform::acquire)));
}

// acquire, here and where tail is loaded: pairs with commit(Room), by way of who has stored `seen`.
std::optional<Ring::Item> Ring::item_at(Place head) {
  if (items_between(head, Place(header_->getters.seen.load(platform::acquire))) == 0) {
    refresh_seen_tail();
  }
  const Place tail(header_->getters.seen.load(platform::relaxed));
  if (items_between(head, tail) == 0 || tail.is_dropped()) return std::nullopt;
  std::uint32_t number = head.lane();
  std::uint32_t position = head.position();
  std::uint32_t mark = position;
  // A mark to the beginning, one to another lane, and the item.
  for (int steps = 0; steps < 3; ++steps) {
    const Lane& lane = lane_at(number);
    const std::byte* const record = unit_at(lane, position);
    const std::uint32_t to_end = lane.units - (position & (lane.units - 1));
    std::uint64_t word;
    std::memcpy(&word, record, sizeof word);
    const std::uint64_t size = word & size_mask;
    if ((word >> 33 & Place::count_mask) != head.count()) break;
    switch (static_cast<Kind>(word >> 62)) {
      case Kind::item: {
        const std::uint64_t units = units_for(size);
        if (units > to_end) throw_damaged("an item reaches past the end of its lane");
        return Item{{record + heading_size, static_cast<std::size_t>(size)},
                    head,
                    Place(number, head.count() + 1, position + static_cast<std::uint32_t>(units)),
                    mark};
      }
      case Kind::to_beginning:
        position += to_end;
        break;
      case Kind::to_lane:
        mark = position;
        number = static_cast<std::uint32_t>(size);
        position = 0;
        break;
      case Kind::none:
        throw_damaged("there is nothing where an item should be");
    }
  }
  throw_damaged("there is something else where an item should be");
}

// release: pairs with the acquire loads of head by putters. seq_cst besides is for Sleepers.
void Ring::commit(const Item& item) noexcept {
  // After several items, head is farther back.
  const bool leaves_lane = item.after.lane() != item.before.lane() &&
                           item.before.word() == header_->head.load(platform::relaxed);
  if (leaves_lane) give_back_lane(item);
  header_->head.store(item.after.word(), platform::seq_cst);
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

void Ring::refresh_seen_tail() noexcept {
  header_->getters.seen.store(header_->tail.load(platform::acquire), platform::release);
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
