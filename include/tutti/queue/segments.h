// The store of a queue that is first in, first out: a list of segments.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::queue {

/// Items in a linked list of segments of `slots` each. Puts go to the last segment, gets come from
/// the first, and a spent segment is kept as a spare for the next put that needs one, or freed if
/// there is a spare already.
///
/// One thread may push() while another one pops, as long as that one knows of the push that brought
/// its item: the queue's index of the putters' side, stored with release and loaded with acquire,
/// is what tells it. Move constructors of T must not throw.
template <typename T, std::size_t slots = std::max<std::size_t>(4, 1024 / sizeof(T))>
class FirstInFirstOut {
 public:
  using Item = T;
  static constexpr bool ends_are_apart = true;

  FirstInFirstOut() noexcept = default;
  FirstInFirstOut(const FirstInFirstOut&) = delete;
  FirstInFirstOut& operator=(const FirstInFirstOut&) = delete;
  ~FirstInFirstOut() {
    while (get_.segment != put_.segment || get_.at != put_.at) pop([](T&&) {});
    delete put_.segment;
    delete spare_.load(platform::relaxed);
  }

  FirstInFirstOut emptied() const noexcept { return {}; }

  /// Strong guarantee.
  void push(T&& item) {
    if (put_.at == slots) append_segment();
    ::new (static_cast<void*>(put_.segment->slot(put_.at))) T(std::move(item));
    ++put_.at;
  }

  /// Calls `use` with the first item, and then lets go of it.
  template <typename Use>
  void pop(Use use) noexcept {
    if (get_.at == slots) enter_next_segment();
    T* const slot = get_.segment->slot(get_.at++);
    use(std::move(*slot));
    slot->~T();
  }

  /// While nobody else uses either.
  void swap(FirstInFirstOut& other) noexcept {
    std::swap(put_, other.put_);
    std::swap(get_, other.get_);
  }

 private:
  struct Segment {
    T* slot(std::size_t at) noexcept { return reinterpret_cast<T*>(bytes) + at; }

    // Written by the putters' side before the item that makes the getters' side read it.
    Segment* next = nullptr;
    alignas(T) std::byte bytes[slots * sizeof(T)];
  };

  // Where the next put and the next get go; `slots` at the end of a segment, and before the first.
  struct alignas(64) PutEnd {
    Segment* segment = nullptr;
    std::size_t at = slots;
    Segment* first = nullptr;
  };
  struct alignas(64) GetEnd {
    Segment* segment = nullptr;
    std::size_t at = slots;
  };

  void append_segment() {
    // acquire: pairs with the release in enter_next_segment(), whose thread has used the slots.
    Segment* segment = spare_.exchange(nullptr, platform::acquire);
    if (segment == nullptr) segment = new Segment;
    segment->next = nullptr;
    (put_.segment == nullptr ? put_.first : put_.segment->next) = segment;
    put_.segment = segment;
    put_.at = 0;
  }

  void enter_next_segment() noexcept {
    Segment* const spent = get_.segment;
    get_.segment = spent == nullptr ? put_.first : spent->next;
    get_.at = 0;
    // acquire as well: the spare that comes out was used by others before it is freed here.
    if (spent != nullptr) delete spare_.exchange(spent, platform::acq_rel);
  }

  PutEnd put_;
  GetEnd get_;
  alignas(64) platform::atomic<Segment*> spare_{nullptr};
};

}  // namespace tutti::inline TUTTI_ABI::queue
