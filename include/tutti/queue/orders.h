// Stores of queues that give out something else than what was put in first.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "tutti/queue/boxed.h"

namespace tutti::inline TUTTI_ABI::queue {

template <typename T>
class LastInFirstOut {
 public:
  using Item = T;
  static constexpr bool ends_are_apart = false;

  LastInFirstOut emptied() const { return {}; }
  void push(T&& item) { items_.push_back(std::move(item)); }
  template <typename Use>
  void pop(Use use) noexcept {
    use(std::move(items_.back()));
    items_.pop_back();
  }
  void swap(LastInFirstOut& other) noexcept { items_.swap(other.items_); }

 private:
  std::vector<T> items_;
};

template <typename T, typename Less>
class LowestFirst {
 public:
  using Item = T;
  static constexpr bool ends_are_apart = false;

  explicit LowestFirst(Less less) : less_(std::move(less)) {}
  LowestFirst emptied() const { return LowestFirst(less_); }
  void push(T&& item) {
    items_.push_back(std::move(item));
    std::push_heap(items_.begin(), items_.end(), greater());
  }
  template <typename Use>
  void pop(Use use) noexcept {
    std::pop_heap(items_.begin(), items_.end(), greater());
    use(std::move(items_.back()));
    items_.pop_back();
  }
  // Both compare alike, so only the items change places.
  void swap(LowestFirst& other) noexcept { items_.swap(other.items_); }

 private:
  auto greater() {
    return [this](const T& a, const T& b) { return less_(item_in(b), item_in(a)); };
  }

  Less less_;
  std::vector<T> items_;
};

}  // namespace tutti::inline TUTTI_ABI::queue
