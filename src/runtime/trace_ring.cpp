#include "runtime/trace_ring.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace tutti::inline TUTTI_ABI::runtime::trace {

namespace {

// The last word: thread in the high half, then text, kind and what.
std::array<std::uint64_t, 4> packed(const Event& event) noexcept {
  return {static_cast<std::uint64_t>(event.begin), static_cast<std::uint64_t>(event.end),
          reinterpret_cast<std::uintptr_t>(event.object),
          std::uint64_t{event.thread} << 32 | std::uint64_t{event.text} << 16 |
              static_cast<std::uint64_t>(event.kind) << 8 | static_cast<std::uint64_t>(event.what)};
}

Event unpacked(const std::array<std::uint64_t, 4>& words) noexcept {
  Event event;
  event.begin = static_cast<std::int64_t>(words[0]);
  event.end = static_cast<std::int64_t>(words[1]);
  event.object = reinterpret_cast<const void*>(static_cast<std::uintptr_t>(words[2]));
  event.thread = static_cast<ThreadId>(words[3] >> 32);
  event.text = static_cast<std::uint16_t>(words[3] >> 16);
  event.kind = static_cast<WaitKind>(words[3] >> 8 & 0xff);
  event.what = static_cast<What>(words[3] & 0xff);
  return event;
}

}  // namespace

// calloc gives pages that take memory only once they are written to.
Ring::Ring(std::size_t capacity) noexcept
    : capacity_(std::max<std::size_t>(capacity, 1)),
      words_(static_cast<Word*>(std::calloc(capacity_, words_per_event * sizeof(Word)))) {}

Ring::~Ring() {
  std::free(static_cast<void*>(words_));
}

void Ring::add(const Event& event) noexcept {
  const std::uint64_t number = count_.load(platform::relaxed);
  begun_.store(number + 1, platform::relaxed);
  if (words_ != nullptr) {
    Word* word = words_ + number % capacity_ * words_per_event;
    for (const std::uint64_t value : packed(event)) (word++)->store(value, platform::release);
  }
  count_.store(number + 1, platform::release);
}

Ring::Content Ring::read(std::uint64_t first) const {
  const std::uint64_t end = count_.load(platform::acquire);
  if (words_ == nullptr) return {{}, end - std::min(first, end)};
  std::uint64_t from = std::max(first, end - std::min<std::uint64_t>(end, capacity_));
  std::vector<Event> events;
  events.reserve(static_cast<std::size_t>(end - std::min(from, end)));
  for (std::uint64_t number = from; number < end; ++number) {
    const Word* word = words_ + number % capacity_ * words_per_event;
    std::array<std::uint64_t, words_per_event> values;
    for (std::uint64_t& value : values) value = (word++)->load(platform::acquire);
    events.push_back(unpacked(values));
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
