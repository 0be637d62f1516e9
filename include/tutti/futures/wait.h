// futures::wait and as_completed: several futures at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include "tutti/futures/future.h"

namespace tutti::inline TUTTI_ABI::futures {

/// When wait() returns: once one future is done, once one has ended with an exception (or all are
/// done), or once all are done.
enum class ReturnWhen { first_completed, first_exception, all_completed };
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::first_completed;
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::first_exception;
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::all_completed;

/// Hears of several futures, and gives them out in the order in which they are done. Belongs to one
/// thread.
class Gathering {
 public:
  /// The states, no two the same, must outlive this.
  explicit Gathering(const std::vector<SharedState*>& states);
  ~Gathering();
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  /// The number of the next one that is done; none if there was none until `deadline`, or none is
  /// left. Throws KeyboardInterrupt in an interrupted main thread.
  std::optional<std::size_t> next(std::int64_t deadline);
  std::size_t left() const noexcept;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

/// Whether each of the states is done, once `when` or at `deadline`.
std::vector<bool> wait_for_states(const std::vector<SharedState*>& states, std::int64_t deadline,
                                  ReturnWhen when);
[[noreturn]] void throw_unfinished(std::size_t unfinished, std::size_t all);

template <typename T>
inline constexpr bool is_future = false;
template <typename T>
inline constexpr bool is_future<Future<T>> = true;

template <typename R>
concept RangeOfFutures = std::ranges::input_range<R> && is_future<std::ranges::range_value_t<R>>;

/// The futures of a range, each once, in their order.
template <RangeOfFutures R>
auto each_once(R&& futures) {
  std::vector<std::ranges::range_value_t<R>> once;
  std::vector<SharedState*> seen;
  for (const auto& future : futures) {
    once.push_back(future);
    seen.push_back(&future.state());
  }
  // As futures lie that were made one after the other: none twice, and nothing to sort.
  const auto is_strictly = [&seen](auto compare) {
    return std::adjacent_find(seen.begin(), seen.end(), std::not_fn(compare)) == seen.end();
  };
  if (is_strictly(std::less<>()) || is_strictly(std::greater<>())) return once;
  std::sort(seen.begin(), seen.end());
  const auto is_repeated = std::adjacent_find(seen.begin(), seen.end()) != seen.end();
  if (!is_repeated) return once;
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  std::vector<bool> taken(seen.size());
  std::erase_if(once, [&](const auto& future) {
    const auto place = std::lower_bound(seen.begin(), seen.end(), &future.state());
    const auto index = static_cast<std::size_t>(place - seen.begin());
    if (taken[index]) return true;
    taken[index] = true;
    return false;
  });
  return once;
}

template <typename T>
std::vector<SharedState*> states_of(const std::vector<Future<T>>& futures) {
  std::vector<SharedState*> states;
  states.reserve(futures.size());
  for (const Future<T>& future : futures) states.push_back(&future.state());
  return states;
}

template <typename T>
struct DoneAndNotDone {
  std::vector<Future<T>> done;
  std::vector<Future<T>> not_done;
};

/// Waits until the futures of `futures` are done (cancelled ones are), or as `when` says, at most
/// for `timeout`. Returns those that are done and those that are not, in their order, each once.
/// Throws KeyboardInterrupt in an interrupted main thread.
/// Python counterpart: concurrent.futures.wait.
///
///     auto [done, not_done] = futures::wait(all, 2.0, futures::FIRST_COMPLETED);
template <RangeOfFutures R>
auto wait(R&& futures, Timeout timeout = forever, ReturnWhen when = ALL_COMPLETED) {
  auto once = each_once(futures);
  const std::vector<bool> is_done = wait_for_states(states_of(once), timeout.deadline(), when);
  DoneAndNotDone<typename std::ranges::range_value_t<R>::value_type> result;
  for (std::size_t i = 0; i < once.size(); ++i) {
    (is_done[i] ? result.done : result.not_done).push_back(std::move(once[i]));
  }
  return result;
}

template <typename T>
auto wait(std::initializer_list<Future<T>> futures, Timeout timeout = forever,
          ReturnWhen when = ALL_COMPLETED) {
  return wait(std::vector<Future<T>>(futures), timeout, when);
}

/// What as_completed returns: a range, to be gone through once, in one thread.
template <typename T>
class Completed {
 public:
  struct End {};
  class Iterator {
   public:
    using value_type = Future<T>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit Iterator(Completed& completed) : completed_(&completed) { ++*this; }
    const Future<T>& operator*() const { return completed_->futures_[*index_]; }
    const Future<T>* operator->() const { return &**this; }
    Iterator& operator++() {
      index_ = completed_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(End) const noexcept { return !index_; }

   private:
    Completed* completed_;
    std::optional<std::size_t> index_;
  };

  Completed(std::vector<Future<T>> futures, std::int64_t deadline)
      : futures_(std::move(futures)), gathering_(states_of(futures_)), deadline_(deadline) {}

  Iterator begin() { return Iterator(*this); }
  End end() const noexcept { return {}; }

 private:
  std::optional<std::size_t> next() {
    const auto index = gathering_.next(deadline_);
    if (!index && gathering_.left() > 0) throw_unfinished(gathering_.left(), futures_.size());
    return index;
  }

  std::vector<Future<T>> futures_;
  Gathering gathering_;
  std::int64_t deadline_;
};

/// The futures of `futures` in the order in which they are done, each once; those that are already
/// come first. Throws TimeoutError while iterating when one is not done `timeout` after this call.
/// Python counterpart: concurrent.futures.as_completed.
///
///     for (const auto& future : futures::as_completed(all)) use(future.result());
template <RangeOfFutures R>
auto as_completed(R&& futures, Timeout timeout = forever) {
  using T = typename std::ranges::range_value_t<R>::value_type;
  return Completed<T>(each_once(futures), timeout.deadline());
}
template <typename T>
auto as_completed(std::initializer_list<Future<T>> futures, Timeout timeout = forever) {
  return as_completed(std::vector<Future<T>>(futures), timeout);
}

}  // namespace tutti::inline TUTTI_ABI::futures
