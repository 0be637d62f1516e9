// What Executor::map returns: the results of many calls, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "tutti/futures/future.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::futures {

/// Python's keyword arguments of Executor.map.
struct MapOptions {
  /// Since the call of map, until the last result: a result that is waited for beyond that throws
  /// TimeoutError.
  Timeout timeout = forever;
  /// So many elements are one task. Larger is faster where the function is short. ValueError below
  /// 1.
  int chunksize = 1;
  /// At most so many elements are ahead of the results that were taken, in whole chunks; none: all
  /// are submitted at once. ValueError below 1.
  std::optional<int> buffersize = std::nullopt;
};

void check_map_options(const MapOptions& options);

/// What Executor::map returns: a range, to be gone through once, in one thread. Of an owned or
/// borrowed `Range` each. At the first exception it ends.
template <typename E, typename F, typename... Ranges>
class Results {
 public:
  /// A value, also of a function that returns a reference, since that may be to an element; for one
  /// that returns nothing, std::monostate.
  using Result = typename ResultState<
      std::remove_cvref_t<std::invoke_result_t<F&, std::ranges::range_value_t<Ranges>&...>>>::Kept;

  Results(E& executor, F function, const MapOptions& options, Ranges&&... ranges)
      : executor_(executor),
        function_(std::make_shared<F>(std::move(function))),
        deadline_(options.timeout.deadline()),
        chunksize_(static_cast<std::size_t>(options.chunksize)),
        buffersize_(options.buffersize ? static_cast<std::size_t>(*options.buffersize) : unlimited),
        ranges_(std::forward<Ranges>(ranges)...) {
    check_map_options(options);
    std::apply([this](auto&... range) { cursors_.emplace(std::ranges::begin(range)...); }, ranges_);
    submit_chunks();
  }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;
  ~Results() { drop(); }

  struct End {};
  class Iterator {
   public:
    using value_type = Result;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit Iterator(Results& results) : results_(&results) { ++*this; }
    Result& operator*() const noexcept { return *results_->current_; }
    Iterator& operator++() {
      results_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(End) const noexcept { return results_->current_ == nullptr; }

   private:
    Results* results_;
  };
  /// Waits for the first result; `++` for the next one.
  Iterator begin() { return Iterator(*this); }
  End end() const noexcept { return {}; }

 private:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  using Elements = std::tuple<std::ranges::range_value_t<Ranges>...>;
  // A deque, so that a bool is one too.
  struct Chunk {
    std::deque<Result> results;
    std::exception_ptr exception;
  };

  static Chunk call(F& function, std::deque<Elements>& elements) {
    Chunk chunk;
    try {
      for (Elements& each : elements) {
        if constexpr (std::is_same_v<Result, std::monostate>) {
          std::apply(function, each);
          chunk.results.emplace_back();
        } else {
          chunk.results.push_back(std::apply(function, each));
        }
      }
    } catch (...) {
      chunk.exception = std::current_exception();
    }
    return chunk;
  }

  template <std::size_t... i>
  bool is_at_end(std::index_sequence<i...>) {
    return ((std::get<i>(*cursors_) == std::ranges::end(std::get<i>(ranges_))) || ...);
  }

  void submit_chunks() {
    constexpr std::index_sequence_for<Ranges...> all;
    while (ahead_ < buffersize_ && !is_at_end(all)) {
      std::deque<Elements> elements;
      while (elements.size() < chunksize_ && !is_at_end(all)) {
        std::apply(
            [&elements](auto&... cursor) {
              elements.emplace_back(*cursor...);
              (++cursor, ...);
            },
            *cursors_);
      }
      const std::size_t count = elements.size();
      chunks_.push_back(
          executor_.submit([function = function_, elements = std::move(elements)]() mutable {
            return call(*function, elements);
          }));
      ahead_ += count;
    }
  }

  void advance() {
    current_ = nullptr;
    if (next_ == taken_.results.size()) {
      if (taken_.exception != nullptr) {
        drop();
        std::rethrow_exception(taken_.exception);
      }
      if (chunks_.empty()) return;
      try {
        chunks_.front().state().wait_for_outcome(deadline_);
        taken_ = std::move(chunks_.front()).result();
      } catch (...) {
        drop();
        throw;
      }
      chunks_.pop_front();
      next_ = 0;
      if (taken_.results.empty()) return advance();
    }
    current_ = &taken_.results[next_++];
    --ahead_;
    if (buffersize_ != unlimited) submit_chunks();
  }

  void drop() noexcept {
    for (const auto& chunk : chunks_) chunk.cancel();
    chunks_.clear();
  }

  E& executor_;
  std::shared_ptr<F> function_;
  std::int64_t deadline_;
  std::size_t chunksize_;
  std::size_t buffersize_;
  /// Elements submitted whose results were not taken.
  std::size_t ahead_ = 0;
  /// References, or ranges that were given away.
  std::tuple<Ranges...> ranges_;
  std::optional<std::tuple<std::ranges::iterator_t<Ranges>...>> cursors_;
  std::deque<Future<Chunk>> chunks_;
  Chunk taken_;
  std::size_t next_ = 0;
  Result* current_ = nullptr;
};

}  // namespace tutti::inline TUTTI_ABI::futures
