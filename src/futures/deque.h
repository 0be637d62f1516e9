// The work-stealing deque: its owner pushes and pops at the bottom, anybody steals from the top.
//
// Chase and Lev, "Dynamic circular work-stealing deque", 2005, with the orders of Lê, Pop, Cohen
// and Zappa Nardelli, "Correct and efficient work-stealing for weak memory models", 2013, where
// stores and loads stand for its fences, which ThreadSanitizer can't follow.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::futures {

class SharedState;

/// Items are at the places top … bottom - 1, each in slot (place modulo capacity). Only the owner
/// changes bottom; top only grows, by the compare-exchange with which somebody takes the item
/// there.
///
/// Who takes the last item: pop() lowers bottom and then reads top; steal() reads top and then
/// bottom; all four seq_cst. So not both of them miss the other: either the thief sees the lowered
/// bottom and finds nothing, or the owner sees that it is about the last item and has to win top as
/// well.
class Deque {
 public:
  /// `capacity` is what it can hold before it grows, a power of two.
  explicit Deque(std::int64_t capacity = 64) : array_(nullptr) {
    arrays_.push_back(std::make_unique<Array>(capacity));
    array_.store(arrays_.back().get(), platform::relaxed);
  }
  Deque(const Deque&) = delete;
  Deque& operator=(const Deque&) = delete;

  /// By the owner. Throws std::bad_alloc, and nothing has changed. seq_cst: whoever pushes looks
  /// for sleeping workers next, which look for work after they have said that they sleep.
  void push(SharedState* item) {
    const std::int64_t bottom = bottom_.load(platform::relaxed);
    const std::int64_t top = top_.load(platform::acquire);
    Array* array = array_.load(platform::relaxed);
    if (bottom - top >= array->capacity) array = grow(*array, top, bottom);
    array->at(bottom).store(item, platform::relaxed);
    // release: pairs with the load of bottom in steal(); the item and what it points to is seen.
    bottom_.store(bottom + 1, platform::seq_cst);
  }

  /// By the owner: the newest item, or null.
  SharedState* pop() noexcept {
    const std::int64_t bottom = bottom_.load(platform::relaxed) - 1;
    // Nothing to take: top is never beyond bottom, and only the owner raises that.
    if (top_.load(platform::relaxed) > bottom) return nullptr;
    Array* const array = array_.load(platform::relaxed);
    bottom_.store(bottom, platform::seq_cst);
    std::int64_t top = top_.load(platform::seq_cst);
    SharedState* item = nullptr;
    if (top <= bottom) {
      item = array->at(bottom).load(platform::relaxed);
      if (top < bottom) return item;
      if (!top_.compare_exchange_strong(top, top + 1, platform::seq_cst, platform::relaxed)) {
        item = nullptr;
      }
    }
    bottom_.store(bottom + 1, platform::release);
    return item;
  }

  /// By anybody: the oldest item; null if there is none, or another was faster.
  SharedState* steal() noexcept {
    std::int64_t top = top_.load(platform::seq_cst);
    const std::int64_t bottom = bottom_.load(platform::seq_cst);
    if (top >= bottom) return nullptr;
    // acquire: pairs with the release in grow(). An older array is as good: its items from top on
    // stay as they were when it was left.
    SharedState* const item = array_.load(platform::acquire)->at(top).load(platform::relaxed);
    if (!top_.compare_exchange_strong(top, top + 1, platform::seq_cst, platform::relaxed)) {
      return nullptr;
    }
    return item;
  }

  /// By anybody. seq_cst, as above.
  bool is_empty() const noexcept {
    return top_.load(platform::seq_cst) >= bottom_.load(platform::seq_cst);
  }

 private:
  struct Array {
    explicit Array(std::int64_t size)
        : capacity(size),
          slots(
              std::make_unique<platform::atomic<SharedState*>[]>(static_cast<std::size_t>(size))) {}
    platform::atomic<SharedState*>& at(std::int64_t place) const noexcept {
      return slots[static_cast<std::size_t>(place & (capacity - 1))];
    }
    const std::int64_t capacity;
    std::unique_ptr<platform::atomic<SharedState*>[]> slots;
  };

  Array* grow(const Array& from, std::int64_t top, std::int64_t bottom) {
    auto larger = std::make_unique<Array>(from.capacity * 2);
    for (std::int64_t place = top; place < bottom; ++place) {
      larger->at(place).store(from.at(place).load(platform::relaxed), platform::relaxed);
    }
    arrays_.push_back(std::move(larger));
    array_.store(arrays_.back().get(), platform::release);
    return arrays_.back().get();
  }

  alignas(64) platform::atomic<std::int64_t> top_{0};
  alignas(64) platform::atomic<std::int64_t> bottom_{0};
  platform::atomic<Array*> array_;
  /// All arrays there were, since a thief may still read in them: together less than twice the
  /// last.
  std::vector<std::unique_ptr<Array>> arrays_;
};

}  // namespace tutti::inline TUTTI_ABI::futures
