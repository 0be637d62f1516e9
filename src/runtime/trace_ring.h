// What one thread has recorded for the timeline: its newest events, in memory of a fixed size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/slot.h"

namespace tutti::inline TUTTI_ABI::runtime::trace {

enum class What : std::uint8_t {
  /// Blocked, from the first look in vain to the end of the wait: spinning and asleep.
  wait,
  /// The part of a wait in which the thread was off its core.
  asleep,
  /// Blocked in I/O or a foreign library, as the program itself says.
  io,
  /// Has woken `thread`. These have no length, as those below.
  woke,
  /// Has given `thread` the lock or the unit that it waits for; the wake follows.
  handed_over,
  /// Has moved `thread`, which waits, to the queue of `object`.
  moved,
  /// Has come to a point that the program has named.
  mark,
};

struct Event {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  const void* object = nullptr;
  What what = What::wait;
  WaitKind kind = WaitKind::none;
  /// Number of the object's name, or of the mark's text; 0 is none.
  std::uint16_t text = 0;
  /// In a wait: who had the object at its begin; 0 if that is not known.
  ThreadId thread = 0;
};

/// The event as it is kept: the last word has the thread in its high half, then text, kind and
/// what.
class PackedEvent {
 public:
  // A word that is stored with release and loaded with acquire: who has read a new one sees what
  // was stored before it. No fences, which ThreadSanitizer can't follow.
  void store(const Event& event) noexcept;
  Event load() const noexcept;

 private:
  std::array<atomic<std::uint64_t>, 4> words_;
};

/// What a thread is in the middle of, which is no event yet. Written by it alone.
class Unfinished {
 public:
  void begin(const Event& event) noexcept;
  void end() noexcept { begin_.store(0, platform::relaxed); }
  /// Nothing if it is in the middle of nothing.
  std::optional<Event> read() const noexcept;

 private:
  /// 0 while the other words mean nothing.
  atomic<std::int64_t> begin_{0};
  PackedEvent event_;
};

/// Written by its thread alone, read by any at any time. When it is full, each new event takes the
/// place of the oldest one.
///
/// `begun_` counts the events whose writing has begun, `count_` those that are whole. A reader that
/// has read a word of a newer event sees in `begun_` that it was begun, and leaves the older one
/// out.
class Ring {
 public:
  explicit Ring(std::size_t capacity) noexcept;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  void add(const Event& event) noexcept;

  /// How many were ever added.
  std::uint64_t count() const noexcept { return count_.load(platform::acquire); }

  struct Content {
    /// In the order in which they were added.
    std::vector<Event> events;
    std::uint64_t dropped = 0;
  };
  /// What is left of the events from number `first` on.
  Content read(std::uint64_t first) const;

 private:
  const std::size_t capacity_;
  /// Null if there was no memory; then all events are dropped.
  PackedEvent* const events_;
  atomic<std::uint64_t> begun_{0};
  atomic<std::uint64_t> count_{0};
};

}  // namespace tutti::inline TUTTI_ABI::runtime::trace
