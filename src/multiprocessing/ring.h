// The ring of a process queue: records one after the other in memory that processes share.
//
// Putters exclude each other by one lock, getters by another, as in the queue with two locks of
// Michael and Scott (1996). What a putter writes lies past `tail`, where nobody looks; that it
// stores a new `tail`, one word, is what puts the item in. So does a getter take one out by storing
// a new `head`. Everything else is derived from these two words, or is advice, so whoever is killed
// between any two instructions has put (taken) its item or has not, and whoever inherits its lock
// has nothing to repair.
//
// Memory is a sparse file of `lanes`, byte rings of 256 KiB and more. A record lies in one piece in
// its lane; where it would not fit before the end, a mark sends getters to the beginning. Where the
// lane is full, a mark sends them to another lane, larger ones for larger records or longer queues,
// which begins at position 0. At least one unit of the lane in use is always free for such a mark.
// Lanes between head's and tail's, in the order of `next`, are in use, all others free. Once there
// is little in a large lane, putters go back to a small one, so that the same memory is used again
// while it is in the caches; the pages of very large lanes are given back by the getter that leaves
// them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "multiprocessing/place.h"
#include "multiprocessing/shared_lock_cell.h"
#include "multiprocessing/sleepers.h"
#include "runtime/patience.h"
#include "runtime/slot.h"
#include "tutti/multiprocessing/segment.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// How lanes are filled.
namespace lanes {

constexpr std::size_t unit = 16;
constexpr std::uint32_t smallest_lane = (256U << 10) / unit;

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

inline void write_heading(std::byte* at, std::uint64_t word) noexcept {
  std::memcpy(at, &word, sizeof word);
}

constexpr std::size_t heading_size = sizeof(std::uint64_t);

constexpr std::uint64_t units_for(std::size_t size) {
  return (size + heading_size + unit - 1) / unit;
}

}  // namespace lanes

/// In shared memory; all-zero but for the first lines, it is an empty ring.
struct RingHeader {
  static constexpr std::uint64_t expected_magic = 0x716d'2d69'7474'7574;  // "tutti-mq"

  struct alignas(64) Side {
    SharedLockCell lock;
    /// The other side's word as it was when one of this side has looked last: as long as that
    /// shows enough room, or an item, there is no need to fetch the line that others write.
    platform::atomic<std::uint64_t> seen;
    runtime::Patience patience;
  };

  // Written before others see it.
  std::uint64_t magic;
  std::uint64_t limit;
  runtime::SharedText name;

  Side putters;
  /// Stored by putters; by shut() once for all.
  alignas(64) platform::atomic<std::uint64_t> tail;
  Side getters;
  alignas(64) platform::atomic<std::uint64_t> head;
  alignas(64) Sleepers sleeping_getters;
  Sleepers sleeping_putters;
  Sleepers sleeping_joiners;
  /// Tasks done so far, modulo Place::count_mask + 1.
  platform::atomic<std::uint32_t> done;
  /// Which lane follows; stored by putters before the tail that is in it.
  alignas(64) std::array<platform::atomic<std::uint32_t>, Place::most_lanes> next;
};

class Ring {
 public:
  static constexpr std::uint32_t most_items = Place::count_mask - 1;

  /// A new one, for up to `limit` items, in a share of the machine's memory. Throws OSError.
  static Ring make(std::uint32_t limit);
  /// One that lies in `segment`. Throws ValueError if none does.
  explicit Ring(Segment segment);

  RingHeader& header() const noexcept { return *header_; }
  const Segment& segment() const noexcept { return segment_; }
  std::uint32_t limit() const noexcept { return limit_; }
  /// Bytes that the largest item may have.
  std::size_t largest_item() const noexcept;

  Place tail() const noexcept { return Place(header_->tail.load(platform::seq_cst)); }
  Place head() const noexcept { return Place(header_->head.load(platform::seq_cst)); }
  /// Items at one moment during the call.
  std::uint32_t size() const noexcept;

  // --- under the putters' lock -------------------------------------------------------------------

  /// Room for an item, and where tail is once it is in.
  struct Room {
    std::span<std::byte> item;
    Place after;
  };
  /// None while there is no room for `size` bytes. Throws RuntimeError when what it finds can't be.
  std::optional<Room> room_for(std::size_t size);
  void commit(const Room& room) noexcept;
  /// After an owner's death: what was seen is looked at again.
  void refresh_seen_head() noexcept;
  /// For how many more items there was room when head was looked at last.
  std::uint32_t known_room() const noexcept;

  // --- under the getters' lock -------------------------------------------------------------------

  /// An item, and where head is once it is out.
  struct Item {
    std::span<const std::byte> bytes;
    Place before;
    Place after;
    /// Where the mark that leads out of the lane of `before` lies, if one does.
    std::uint32_t mark;
  };
  /// The next one, if there is one. Throws RuntimeError when what it finds can't be.
  std::optional<Item> next_item();
  void commit(const Item& item) noexcept;
  void refresh_seen_tail() noexcept;
  /// How many items there were when tail was looked at last.
  std::uint32_t known_items() const noexcept;

  // --- under both --------------------------------------------------------------------------------

  void shut(bool dropping) noexcept;

 private:
  struct Lane {
    std::size_t offset = 0;
    std::uint32_t units = 0;
  };

  void lay_out_lanes();
  const Lane& lane_at(std::uint32_t number) const;
  std::byte* unit_at(const Lane& lane, std::uint32_t position) const noexcept;
  bool is_time_to_look_around(Place tail, std::size_t size) const;
  std::optional<Room> room_elsewhere(Place tail, std::size_t size);
  std::optional<Room> room_in_lane(Place tail, Place head, std::size_t size) const;
  std::optional<Room> room_in_other_lane(Place tail, Place head, std::size_t size,
                                         std::uint32_t wanted, std::uint32_t most);
  std::uint32_t lanes_in_use(Place head, Place tail) const;
  bool has_little(Place head, Place tail) const;
  static void fetch_ahead(const std::byte* next, std::size_t size) noexcept;
  void give_back_lane(const Item& item) noexcept;
  [[noreturn]] void throw_damaged(const char* what) const;

  Segment segment_;
  RingHeader* header_;
  std::uint32_t limit_;
  std::array<Lane, Place::most_lanes> lanes_;
  std::uint32_t lane_count_ = 0;
};

// --- what every put and get does -----------------------------------------------------------------

inline const Ring::Lane& Ring::lane_at(std::uint32_t number) const {
  if (number >= lane_count_) throw_damaged("there is no such lane");
  return lanes_[number];
}

inline std::byte* Ring::unit_at(const Lane& lane, std::uint32_t position) const noexcept {
  return segment_.data() + lane.offset + std::size_t{position & (lane.units - 1)} * lanes::unit;
}

// acquire, here and where heads are loaded: pairs with commit(Item); what getters have read there
// is not written over before. A head that was seen earlier shows less room than there is; its lane
// was in use when tail entered the present one, so it is not taken for this one.
inline std::optional<Ring::Room> Ring::room_for(std::size_t size) {
  const Place tail(header_->tail.load(platform::acquire));
  const Place head(header_->putters.seen.load(platform::acquire));
  if (!is_time_to_look_around(tail, size)) {
    if (auto room = room_in_lane(tail, head, size)) return room;
  }
  return room_elsewhere(tail, size);
}

// Whether head has to be looked at, since a smaller lane might do by now: in larger ones, after
// every so many bytes.
inline bool Ring::is_time_to_look_around(Place tail, std::size_t size) const {
  constexpr std::uint64_t step = lanes::smallest_lane / 4;
  const std::uint64_t units = lanes::units_for(size);
  return lane_at(tail.lane()).units > lanes::smallest_lane &&
         (units >= step || (tail.position() % step) + units >= step);
}

inline std::optional<Ring::Room> Ring::room_in_lane(Place tail, Place head,
                                                    std::size_t size) const {
  if (items_between(head, tail) >= limit_) return std::nullopt;
  const Lane& lane = lane_at(tail.lane());
  // In a lane that head has not reached yet, records begin at 0.
  const std::uint32_t begin = head.lane() == tail.lane() ? head.position() : 0;
  const std::uint32_t used = (tail.position() - begin) & Place::position_mask;
  if (used >= lane.units) throw_damaged("a lane holds more than it can");
  const std::uint64_t units = lanes::units_for(size);
  const std::uint32_t to_end = lane.units - (tail.position() & (lane.units - 1));
  const std::uint32_t skipped = units <= to_end ? 0 : to_end;
  // One more for a mark.
  if (used + skipped + units + 1 > lane.units) return std::nullopt;
  if (skipped != 0) {
    lanes::write_heading(unit_at(lane, tail.position()),
                         lanes::heading(lanes::Kind::to_beginning, tail.count(), 0));
  }
  const std::uint32_t position = tail.position() + skipped;
  std::byte* const record = unit_at(lane, position);
  lanes::write_heading(record, lanes::heading(lanes::Kind::item, tail.count(), size));
  return Room{{record + lanes::heading_size, size},
              Place(tail.lane(), tail.count() + 1, position + static_cast<std::uint32_t>(units))};
}

// release: pairs with the acquire in next_item(); the item is read as it was written. A fence makes
// the order of puts and gets one for all, and serves Sleepers; it follows the release of the lock.
inline void Ring::commit(const Room& room) noexcept {
  header_->tail.store(room.after.word(), platform::release);
}

inline void Ring::refresh_seen_head() noexcept {
  header_->putters.seen.store(header_->head.load(platform::acquire), platform::release);
}

inline std::uint32_t Ring::known_room() const noexcept {
  const std::uint32_t items = items_between(Place(header_->putters.seen.load(platform::relaxed)),
                                            Place(header_->tail.load(platform::relaxed)));
  return items < limit_ ? limit_ - items : 0;
}

// The next item is on its way from the putter's core while this one is unpacked. Small ones share
// cache lines with others that are about to be written.
inline void Ring::fetch_ahead(const std::byte* next, std::size_t size) noexcept {
  constexpr std::size_t line = 64;
  if (size < 2 * line) return;
  // As many as a core fetches at the same time, or so; what follows it finds out by itself.
  const std::size_t most = std::min(size, 16 * line);
  for (std::size_t at = 0; at < most; at += line) __builtin_prefetch(next + at);
}

// acquire, here and where tail is loaded: pairs with commit(Room), by way of who has stored `seen`.
inline std::optional<Ring::Item> Ring::next_item() {
  const Place head(header_->head.load(platform::acquire));
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
    const std::uint64_t size = word & lanes::size_mask;
    if ((word >> 33 & Place::count_mask) != head.count()) break;
    switch (static_cast<lanes::Kind>(word >> 62)) {
      case lanes::Kind::item: {
        const std::uint64_t units = lanes::units_for(size);
        if (units > to_end) throw_damaged("an item reaches past the end of its lane");
        if (items_between(head, tail) > 1) fetch_ahead(record + units * lanes::unit, size);
        return Item{{record + lanes::heading_size, static_cast<std::size_t>(size)},
                    head,
                    Place(number, head.count() + 1, position + static_cast<std::uint32_t>(units)),
                    mark};
      }
      case lanes::Kind::to_beginning:
        position += to_end;
        break;
      case lanes::Kind::to_lane:
        mark = position;
        number = static_cast<std::uint32_t>(size);
        position = 0;
        break;
      case lanes::Kind::none:
        throw_damaged("there is nothing where an item should be");
    }
  }
  throw_damaged("there is something else where an item should be");
}

// release: pairs with the acquire loads of head by putters. A fence follows, as with commit(Room).
inline void Ring::commit(const Item& item) noexcept {
  if (item.after.lane() != item.before.lane()) give_back_lane(item);
  header_->head.store(item.after.word(), platform::release);
}

inline void Ring::refresh_seen_tail() noexcept {
  header_->getters.seen.store(header_->tail.load(platform::acquire), platform::release);
}

inline std::uint32_t Ring::known_items() const noexcept {
  return items_between(Place(header_->head.load(platform::relaxed)),
                       Place(header_->getters.seen.load(platform::relaxed)));
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
