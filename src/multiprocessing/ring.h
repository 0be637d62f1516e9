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

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "multiprocessing/place.h"
#include "multiprocessing/shared_lock_cell.h"
#include "multiprocessing/sleepers.h"
#include "runtime/slot.h"
#include "tutti/multiprocessing/segment.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// In shared memory; all-zero but for the first lines, it is an empty ring.
struct RingHeader {
  static constexpr std::uint64_t expected_magic = 0x716d'2d69'7474'7574;  // "tutti-mq"

  struct alignas(64) Side {
    SharedLockCell lock;
    /// The other side's word as it was when one of this side has looked last: as long as that
    /// shows enough room, or an item, there is no need to fetch the line that others write.
    platform::atomic<std::uint64_t> seen;
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
  /// The one that follows an item.
  std::optional<Item> item_after(const Item& item) { return item_at(item.after); }
  void commit(const Item& item) noexcept;
  void refresh_seen_tail() noexcept;

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
  std::optional<Room> room_in_lane(Place tail, Place head, std::size_t size) const;
  std::optional<Room> room_in_other_lane(Place tail, Place head, std::size_t size,
                                         std::uint32_t wanted, std::uint32_t most);
  std::uint32_t lanes_in_use(Place head, Place tail) const;
  bool has_little(Place head, Place tail) const;
  std::optional<Item> item_at(Place head);
  void give_back_lane(const Item& item) noexcept;
  [[noreturn]] void throw_damaged(const char* what) const;

  Segment segment_;
  RingHeader* header_;
  std::uint32_t limit_;
  std::array<Lane, Place::most_lanes> lanes_;
  std::uint32_t lane_count_ = 0;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
