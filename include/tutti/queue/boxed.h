// How a queue keeps items whose moves may throw: each in a box of its own, of which only the
// address moves.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::queue {

template <typename T>
struct Box {
  template <typename From>
  explicit Box(From&& from) : item(std::forward<From>(from)) {}

  T item;
  /// The how-manieth it was to be taken out for the first time; 0 before.
  std::uint64_t ticket = 0;
  std::unique_ptr<Box> next;
};

template <typename T>
using Boxed = std::unique_ptr<Box<T>>;

/// What is kept of a T in a store that moves it once in and once out, or about as well.
template <typename T>
using Kept = std::conditional_t<std::is_nothrow_move_constructible_v<T>, T, Boxed<T>>;
template <typename T>
using KeptInHeap = std::conditional_t<
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>, T, Boxed<T>>;

template <typename T>
const T& item_in(const T& kept) noexcept {
  return kept;
}
template <typename T>
const T& item_in(const Boxed<T>& kept) noexcept {
  return kept->item;
}

/// Boxes that were taken out in vain, because the item could not be handed over: the next to be
/// taken out again. Sorted by ticket, so that each is back where it was.
template <typename T>
class Returned {
 public:
  Returned() noexcept = default;
  Returned(const Returned&) = delete;
  Returned& operator=(const Returned&) = delete;
  ~Returned() {
    while (first_ != nullptr) take();
  }

  void insert(Boxed<T> box) noexcept {
    Boxed<T>* place = &first_;
    while (*place != nullptr && (*place)->ticket < box->ticket) place = &(*place)->next;
    box->next = std::move(*place);
    *place = std::move(box);
  }

  bool is_empty() const noexcept { return first_ == nullptr; }
  Boxed<T> take() noexcept {
    Boxed<T> box = std::move(first_);
    first_ = std::move(box->next);
    return box;
  }
  void swap(Returned& other) noexcept { first_.swap(other.first_); }

  /// Gives a box that is taken out its ticket.
  void mark(Boxed<T>& box) noexcept {
    if (box->ticket == 0) box->ticket = ++taken_;
  }

 private:
  Boxed<T> first_;
  std::uint64_t taken_ = 0;
};

/// For items that are kept without a box.
struct NothingReturned {
  void swap(NothingReturned& /*other*/) noexcept {}
};

}  // namespace tutti::inline TUTTI_ABI::queue
