#include "runtime/trace_ring.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tutti::inline TUTTI_ABI::runtime::trace {

void PackedEvent::store(const Event& event) noexcept {
  words_[0].store(static_cast<std::uint64_t>(event.begin), platform::release);
  words_[1].store(static_cast<std::uint64_t>(event.end), platform::release);
  words_[2].store(reinterpret_cast<std::uintptr_t>(event.object), platform::release);
  words_[3].store(std::uint64_t{event.thread} << 32 | std::uint64_t{event.text} << 16 |
                      static_cast<std::uint64_t>(event.kind) << 8 |
                      static_cast<std::uint64_t>(event.what),
                  platform::release);
}

Event PackedEvent::load() const noexcept {
  Event event;
  event.begin = static_cast<std::int64_t>(words_[0].load(platform::acquire));
  event.end = static_cast<std::int64_t>(words_[1].load(platform::acquire));
  const auto object = static_cast<std::uintptr_t>(words_[2].load(platform::acquire));
  event.object = reinterpret_cast<const void*>(object);
  const std::uint64_t rest = words_[3].load(platform::acquire);
  event.thread = static_cast<ThreadId>(rest >> 32);
  event.text = static_cast<std::uint16_t>(rest >> 16);
  event.kind = static_cast<WaitKind>(rest >> 8 & 0xff);
  event.what = static_cast<What>(rest & 0xff);
  return event;
}

void Unfinished::begin(const Event& event) noexcept {
  event_.store(event);
  begin_.store(event.begin, platform::release);
}

std::optional<Event> Unfinished::read() const noexcept {
  // acquire: pairs with the release in begin().
  const std::int64_t before = begin_.load(platform::acquire);
  const Event event = event_.load();
  // Who has read a word of the next one sees the 0 between, or its begin.
  const bool is_whole = before != 0 && begin_.load(platform::relaxed) == before;
  return is_whole ? std::optional(event) : std::nullopt;
}

// calloc gives pages that take memory only once they are written to.
Ring::Ring(std::size_t capacity) noexcept
    : capacity_(std::max<std::size_t>(capacity, 1)),
      events_(static_cast<PackedEvent*>(std::calloc(capacity_, sizeof(PackedEvent)))) {}

Ring::~Ring() {
  std::free(static_cast<void*>(events_));
}

void Ring::add(const Event& event) noexcept {
  const std::uint64_t number = count_.load(platform::relaxed);
  begun_.store(number + 1, platform::relaxed);
  if (events_ != nullptr) events_[number % capacity_].store(event);
  count_.store(number + 1, platform::release);
}

Ring::Content Ring::read(std::uint64_t first) const {
  const std::uint64_t end = count_.load(platform::acquire);
  if (events_ == nullptr) return {{}, end - std::min(first, end)};
  std::uint64_t from = std::max(first, end - std::min<std::uint64_t>(end, capacity_));
  std::vector<Event> events;
  events.reserve(static_cast<std::size_t>(end - std::min(from, end)));
  for (std::uint64_t number = from; number < end; ++number) {
    events.push_back(events_[number % capacity_].load());
  }
  // Some may have been overwritten while they were read.
  const std::uint64_t begun = begun_.load(platform::relaxed);
  const std::uint64_t intact = begun - std::min<std::uint64_t>(begun, capacity_);
  if (intact > from) {
    const std::uint64_t torn = std::min<std::uint64_t>(intact - from, events.size());
    events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(torn));
    from += torn;
  }
  return {std::move(events), from - std::min(first, from)};
}

}  // namespace tutti::inline TUTTI_ABI::runtime::trace
