// fork_map: a function over a range, in processes that have inherited all that is in memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <iterator>
#include <new>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/multiprocessing/forked_run.h"
#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace forking {

// What one call in a child leaves for the parent: its own bytes where they say all, else packed.
template <typename Result>
inline constexpr std::size_t width = 0;
template <typename Result>
requires pickle::packing::flat<Result>
inline constexpr std::size_t width<Result> = sizeof(Result);

template <typename Function, typename Iterator>
class Calls final : public Work {
 public:
  using Result = std::decay_t<std::invoke_result_t<Function&, std::iter_reference_t<Iterator>>>;

  Calls(Function& function, Iterator first) : function_(function), first_(first) {}

  void run(ForkedRun& run, std::size_t begin, std::size_t end) override {
    auto item = first_ + static_cast<std::iter_difference_t<Iterator>>(begin);
    for (std::size_t i = begin; i < end; ++i, ++item) {
      if constexpr (std::is_void_v<Result>) {
        std::invoke(function_, *item);
      } else if constexpr (width<Result> != 0) {
        ::new (static_cast<void*>(run.place(i))) Result(std::invoke(function_, *item));
      } else {
        const Result result = std::invoke(function_, *item);
        pickle::Writer writer(run.room(pickle::packed_size(result)));
        pickle::pack(writer, result);
      }
    }
  }

 private:
  Function& function_;
  Iterator first_;
};

template <typename Result>
std::vector<Result> results_of(const ForkedRun& run, std::size_t count) {
  std::vector<Result> results;
  results.reserve(count);
  if constexpr (width<Result> != 0) {
    for (std::size_t i = 0; i < count; ++i) {
      results.push_back(*std::launder(reinterpret_cast<const Result*>(run.place(i))));
    }
  } else {
    for (std::size_t chunk = 0; chunk < run.chunks(); ++chunk) {
      pickle::Reader reader(run.packed(chunk));
      for (std::size_t i = 0; i < run.items_of(chunk); ++i) {
        results.push_back(pickle::unpack<Result>(reader));
      }
    }
  }
  return results;
}

}  // namespace forking

/// Calls `function(item)` for each item of `items`, in several forked processes, and returns the
/// results in the order of the items (nothing, if the function returns nothing).
///
///     std::vector<double> areas = fork_map([&](const Map& map) { return area(map, terrain); },
///     maps);
///
/// The children are copies of this process, so neither the function, which may be any closure, nor
/// what it refers to, nor the items are copied or encoded: all is there already, and the kernel
/// copies only the pages that are written to. That makes it the fastest way to use all cores on
/// what is in memory. What a child changes there nobody else sees; only results come back, through
/// shared memory: trivially copyable ones without pointers as they are, others packed (see
/// tutti/pickle/packed.h). Each child takes the next `chunksize` items when it is done with those
/// it had.
///
/// Throws what the first of the calls in the items' order has thrown, as an exception of the same
/// type where any process can make that; WorkerLost when a child was killed or has ended itself and
/// no retry is left; ValueError for a negative option; OSError when the system has no room for
/// another process; KeyboardInterrupt. The children are gone then. The function runs in a process
/// with one thread: it must not wait for threads that only the parent has.
///
/// May be called by several threads, but not in a daemonic process, which can't have children.
/// Python counterpart: none; multiprocessing.Pool.map with the fork method comes nearest.
template <typename Function, std::ranges::forward_range Range>
auto fork_map(Function&& function, Range&& items, ForkMapOptions options = {}) {
  if constexpr (!std::ranges::random_access_range<Range>) {
    std::vector<std::ranges::iterator_t<Range>> places;
    for (auto it = std::ranges::begin(items); it != std::ranges::end(items); ++it) {
      places.push_back(it);
    }
    return fork_map([&](const auto& place) -> decltype(auto) { return function(*place); }, places,
                    options);
  } else {
    forking::Calls work(function, std::ranges::begin(items));
    using Result = typename decltype(work)::Result;
    const auto count = static_cast<std::size_t>(std::ranges::distance(items));
    if constexpr (std::is_void_v<Result>) {
      forking::ForkedRun(count, 0, options).perform(work);
    } else {
      static_assert(alignof(Result) <= forking::ForkedRun::alignment);
      forking::ForkedRun run(count, forking::width<Result>, options);
      run.perform(work);
      return forking::results_of<Result>(run, count);
    }
  }
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
