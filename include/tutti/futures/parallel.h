// parallel_for, parallel_reduce, parallel_invoke: loops that a pool shares with the calling thread.
//
// The calling thread begins at once. If one of the pool's workers is free, or the loop turns out
// not to be over in a few microseconds, it invites one, which invites the next. Each takes from
// what is left a piece that gets smaller as less is left (guided self-scheduling: Polychronopoulos
// and Kuck 1987), but begins with single elements and takes twice as many while a piece takes less
// than 50 µs, half as many when one takes more than a millisecond. So neither the number of
// elements nor their cost has to be told.
//
// At the first exception no new pieces are begun; it is thrown when those under way have ended. A
// loop may be inside of another one, or of a call of the same pool: the calling thread does
// whatever nobody else has time for, so it waits only for pieces that others are working at.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/futures/thread_pool_executor.h"
#include "tutti/threading/lock.h"

namespace tutti::inline TUTTI_ABI::futures {

/// Does the work of the places first … last - 1.
using Piece = void (*)(void* work, std::size_t first, std::size_t last);

/// Has `piece` do the places 0 … count - 1, each once, in the calling thread and up to max_workers
/// - 1 of the pool's.
void share_out(ThreadPoolExecutor& pool, std::size_t count, Piece piece, void* work);

/// The same for a function of a piece.
template <typename F>
void share_out(ThreadPoolExecutor& pool, std::size_t count, F work) {
  share_out(
      pool, count,
      [](void* pointer, std::size_t first, std::size_t last) {
        (*static_cast<F*>(pointer))(first, last);
      },
      &work);
}

/// What both ends of a range of whole numbers convert to.
template <typename First, typename Last>
using Index = std::common_type_t<First, Last>;

/// The whole numbers first … last - 1, counted from 0.
template <std::integral I>
class Places {
 public:
  Places(I first, I last) noexcept
      : first_(static_cast<std::size_t>(first)),
        count_(last <= first ? 0 : static_cast<std::size_t>(last) - first_) {}
  std::size_t count() const noexcept { return count_; }
  // Modulo 2^64, so that negative ones come out right.
  I operator[](std::size_t place) const noexcept { return static_cast<I>(first_ + place); }

 private:
  std::size_t first_;
  std::size_t count_;
};

/// Calls `body(i)` for each i in first … last - 1, or, if it takes two, `body(begin, end)` for
/// pieces of that range. In no order; from several threads at the same time. Throws what the body
/// has thrown first, RuntimeError when the pool is shut down.
template <std::integral First, std::integral Last, typename F, typename I = Index<First, Last>>
requires std::invocable<F&, I> || std::invocable<F&, I, I>
void parallel_for(ThreadPoolExecutor& pool, First first, Last last, F&& body) {
  const Places<I> places(static_cast<I>(first), static_cast<I>(last));
  share_out(pool, places.count(), [&body, places](std::size_t begin, std::size_t end) {
    if constexpr (std::invocable<F&, I, I>) {
      std::invoke(body, places[begin], places[end]);
    } else {
      for (std::size_t i = begin; i < end; ++i) std::invoke(body, places[i]);
    }
  });
}

/// Calls `body(element)` for each element of `elements`.
template <std::ranges::random_access_range R, typename F>
requires std::ranges::sized_range<R> && std::invocable<F&, std::ranges::range_reference_t<R>>
void parallel_for(ThreadPoolExecutor& pool, R&& elements, F&& body) {
  static_assert(!std::same_as<std::ranges::range_value_t<R>, bool> ||
                    std::is_reference_v<std::ranges::range_reference_t<R>>,
                "neighbours in a std::vector<bool> share a word: use a std::vector<char>");
  const auto first = std::ranges::begin(elements);
  using Distance = std::ranges::range_difference_t<R>;
  share_out(pool, static_cast<std::size_t>(std::ranges::size(elements)),
            [&body, first](std::size_t begin, std::size_t end) {
              for (std::size_t i = begin; i < end; ++i) {
                std::invoke(body, first[static_cast<Distance>(i)]);
              }
            });
}

/// Partial results of pieces, to be put together in the order of the pieces.
template <typename T>
class Partials {
 public:
  void add(std::size_t first, T value) {
    const std::scoped_lock held(lock_);
    partials_.emplace_back(first, std::move(value));
  }
  template <typename Reduce>
  T put_together(T init, Reduce& reduce) {
    std::sort(partials_.begin(), partials_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [first, value] : partials_) {
      init = std::invoke(reduce, std::move(init), std::move(value));
    }
    return init;
  }

 private:
  threading::Lock lock_;
  std::vector<std::pair<std::size_t, T>> partials_;
};

/// `init` and all `transform(i)` for i in first … last - 1, put together by `reduce(T, T)`. Their
/// order is kept, but not where the brackets are: reduce must be associative. Otherwise as
/// parallel_for.
///
///     double area = futures::parallel_reduce(pool, 0, n, 0.0, std::plus(), height);
template <std::integral First, std::integral Last, typename T, typename Reduce, typename Transform,
          typename I = Index<First, Last>>
requires std::invocable<Transform&, I> && std::invocable<Reduce&, T, T> T parallel_reduce(
    ThreadPoolExecutor& pool, First first, Last last, T init, Reduce reduce, Transform transform) {
  Partials<T> partials;
  const Places<I> places(static_cast<I>(first), static_cast<I>(last));
  share_out(pool, places.count(), [&, places](std::size_t begin, std::size_t end) {
    // Functions of the piece's own, which the compiler can see through.
    Reduce join(reduce);
    Transform make(transform);
    T value = std::invoke(make, places[begin]);
    std::size_t i = begin + 1;
    // Four at a time, so that a processor can do additions that don't wait for each other.
    for (; end - i >= 4; i += 4) {
      T first_two =
          std::invoke(join, std::invoke(make, places[i]), std::invoke(make, places[i + 1]));
      T last_two =
          std::invoke(join, std::invoke(make, places[i + 2]), std::invoke(make, places[i + 3]));
      value = std::invoke(join, std::move(value),
                          std::invoke(join, std::move(first_two), std::move(last_two)));
    }
    for (; i < end; ++i) {
      value = std::invoke(join, std::move(value), std::invoke(make, places[i]));
    }
    partials.add(begin, std::move(value));
  });
  return partials.put_together(std::move(init), reduce);
}

/// The same for the elements of a range, or what `transform` makes of them.
template <std::ranges::random_access_range R, typename T, typename Reduce = std::plus<>,
          typename Transform = std::identity>
requires std::ranges::sized_range<R> && std::invocable<Reduce&, T, T> T parallel_reduce(
    ThreadPoolExecutor& pool, R&& elements, T init, Reduce reduce = {}, Transform transform = {}) {
  const auto first = std::ranges::begin(elements);
  using Distance = std::ranges::range_difference_t<R>;
  return parallel_reduce(
      pool, std::size_t{0}, static_cast<std::size_t>(std::ranges::size(elements)), std::move(init),
      std::move(reduce), [transform, first](std::size_t i) mutable -> decltype(auto) {
        return std::invoke(transform, first[static_cast<Distance>(i)]);
      });
}

/// Calls all functions, in the calling thread and the pool's, and returns when all have returned.
template <std::invocable... F>
void parallel_invoke(ThreadPoolExecutor& pool, F&&... functions) {
  auto all = std::forward_as_tuple(std::forward<F>(functions)...);
  const auto call = [&all]<std::size_t... i>(std::size_t wanted, std::index_sequence<i...>) {
    ((i == wanted ? static_cast<void>(std::invoke(std::get<i>(all))) : void()), ...);
  };
  share_out(pool, sizeof...(F), [&call](std::size_t first, std::size_t last) {
    for (; first < last; ++first) call(first, std::index_sequence_for<F...>());
  });
}

}  // namespace tutti::inline TUTTI_ABI::futures
