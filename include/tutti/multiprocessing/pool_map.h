// One function for many elements, as tasks of a pool of processes: elements are packed in chunks,
// straight from where they are to where the workers read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tutti/errors.h"
#include "tutti/multiprocessing/async_result.h"
#include "tutti/multiprocessing/pool_call.h"
#include "tutti/queue/queue.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// How an element is given to the function: as its argument, or as all of them.
enum class Spread { whole, star };

template <Spread spread, typename F, typename Element>
decltype(auto) call_with(F& function, Element& element) {
  if constexpr (spread == Spread::star) {
    return std::apply(function, std::move(element));
  } else {
    return std::invoke(function, std::move(element));
  }
}

/// What a map of `F` over a `Range` is about.
template <Spread spread, typename F, typename Range>
struct MapOf {
  using Reference = std::ranges::range_reference_t<Range>;
  static constexpr auto element() {
    if constexpr (spread == Spread::star) {
      return std::type_identity<std::ranges::range_value_t<Range>>{};
    } else {
      return std::type_identity<Argument<F, 0, Reference>>{};
    }
  }
  using Element = typename decltype(element())::type;
  using Returned = decltype(call_with<spread>(std::declval<F&>(), std::declval<Element&>()));
  using Result = std::remove_cvref_t<Returned>;

  static consteval void check() {
    must_be_callable_elsewhere<F>();
    pickle::must_cross<Element>();
    if constexpr (!std::is_void_v<Result>) pickle::must_cross<Result>();
  }
  /// Whether an element can be packed where it is, and looked at twice.
  static constexpr bool is_in_place = std::is_lvalue_reference_v<Reference> &&
                                      std::is_same_v<std::remove_cvref_t<Reference>, Element> &&
                                      std::ranges::forward_range<Range>;
};

// --- in the worker -------------------------------------------------------------------------------

/// The elements of a chunk, one after the other.
template <typename Element,
          bool are_own_bytes = pickle::packing::flat<Element> && !pickle::packing::checked<Element>>
class ChunkElements {
 public:
  ChunkElements(pickle::Reader& task, TaskResult& result, std::size_t /*count*/) noexcept
      : task_(task), result_(result) {}
  Element next() {
    result_.enter(TaskResult::Stage::unpacking);
    auto element = pickle::unpack<Element>(task_);
    result_.enter(TaskResult::Stage::calling);
    return element;
  }

 private:
  pickle::Reader& task_;
  TaskResult& result_;
};

/// Those that any bytes make are looked at once for all, so that what is left is a plain loop.
template <typename Element>
class ChunkElements<Element, true> {
 public:
  ChunkElements(pickle::Reader& task, TaskResult& result, std::size_t count)
      : next_(take(task, result, count).data()) {
    result.enter(TaskResult::Stage::calling);
  }
  Element next() noexcept {
    pickle::packing::Room<Element> room;
    std::memcpy(static_cast<void*>(&room.value), next_, sizeof(Element));
    next_ += sizeof(Element);
    return std::move(room.value);
  }

 private:
  static std::span<const std::byte> take(pickle::Reader& task, TaskResult& result,
                                         std::size_t count) {
    result.enter(TaskResult::Stage::unpacking);
    return task.take(count * sizeof(Element));
  }

  const std::byte* next_;
};

/// A map's chunk: all results, or an exception.
template <Spread spread, typename F, typename Element, typename R>
void run_chunk(TaskReader& task, TaskResult& result) {
  auto function = unpack_function<F>(task);
  const auto count = static_cast<std::size_t>(pickle::unpack<std::uint64_t>(task));
  // A copy, where the function returns a reference to the element.
  const auto call_with_next = [&](auto& elements) -> R {
    auto element = elements.next();
    return call_with<spread>(function, element);
  };
  if constexpr (std::is_void_v<R>) {
    ChunkElements<Element> elements(task, result, count);
    for (std::size_t i = 0; i < count; ++i) call_with_next(elements);
    result.commit(0);
  } else if constexpr (pickle::packing::flat<R>) {
    // Their size is known, so they are written as they come.
    result.enter(TaskResult::Stage::packing);
    const std::span<std::byte> room = result.room(count * sizeof(R));
    ChunkElements<Element> elements(task, result, count);
    for (std::size_t i = 0; i < count; ++i) {
      const R value = call_with_next(elements);
      std::memcpy(room.data() + i * sizeof(R), &value, sizeof value);
    }
    result.commit(room.size());
  } else {
    std::vector<R> values;
    values.reserve(count);
    ChunkElements<Element> elements(task, result, count);
    for (std::size_t i = 0; i < count; ++i) values.push_back(call_with_next(elements));
    result.enter(TaskResult::Stage::packing);
    std::size_t size = 0;
    for (const R& value : values) size += pickle::packed_size(value);
    pickle::Writer writer(result.room(size));
    for (const R& value : values) pickle::pack(writer, value);
    result.commit(writer.written());
  }
}

/// Nothing has no place in a container.
template <typename R>
using Element = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

/// An imap's chunk: the results up to the first exception.
template <typename R>
using Partial = std::tuple<std::vector<Element<R>>, std::exception_ptr>;

template <Spread spread, typename F, typename E, typename R>
void run_partial(TaskReader& task, TaskResult& result) {
  auto function = unpack_function<F>(task);
  const auto count = static_cast<std::size_t>(pickle::unpack<std::uint64_t>(task));
  Partial<R> partial;
  auto& [values, exception] = partial;
  for (std::size_t i = 0; i < count && exception == nullptr; ++i) {
    result.enter(TaskResult::Stage::unpacking);
    auto element = pickle::unpack<E>(task);
    result.enter(TaskResult::Stage::calling);
    try {
      if constexpr (std::is_void_v<R>) {
        call_with<spread>(function, element);
        values.emplace_back();
      } else {
        values.push_back(call_with<spread>(function, element));
      }
    } catch (const std::exception&) {
      exception = std::current_exception();
    }
  }
  commit_result(result, partial);
}

template <Spread spread, typename F, typename E, typename R>
inline constexpr TaskKind chunk_kind{run_chunk<spread, F, E, R>, name_of_packed_function<F>};
template <Spread spread, typename F, typename E, typename R>
inline constexpr TaskKind partial_kind{run_partial<spread, F, E, R>, name_of_packed_function<F>};

// --- in the parent -------------------------------------------------------------------------------

/// Makes a task of the `count` elements from `first` on, which are looked at twice.
template <typename Element, typename F, typename Iterator>
void submit_chunk(WorkerPool& pool, TaskOwner& owner, std::size_t index, const TaskKind& kind,
                  const F& function, Iterator first, std::size_t count,
                  Origin origin = Origin::call) {
  constexpr bool is_flat = pickle::packing::flat<Element>;
  const auto number = static_cast<std::uint32_t>(index);
  std::exception_ptr failure;
  std::size_t size = sizeof(const TaskKind*) + sizeof(std::uint64_t);
  try {
    size += packed_size_of_function(function);
    if constexpr (is_flat) {
      size += count * sizeof(Element);
    } else {
      Iterator it = first;
      for (std::size_t i = 0; i < count; ++i, ++it) size += pickle::packed_size<Element>(*it);
    }
  } catch (...) {
    failure = not_packed("the elements of a map can't be packed");
    size = 0;
  }
  NewTask task(pool, size, origin);
  if (failure == nullptr) {
    try {
      TaskWriter writer(task);
      writer.write_address(reinterpret_cast<std::uintptr_t>(&kind));
      pack_function(writer, function);
      pickle::pack(writer, std::uint64_t{count});
      if constexpr (is_flat && std::contiguous_iterator<Iterator>) {
        writer.write(std::to_address(first), count * sizeof(Element));
      } else {
        Iterator it = first;
        for (std::size_t i = 0; i < count; ++i, ++it) pickle::pack<Element>(writer, *it);
      }
    } catch (...) {
      failure = not_packed("the elements of a map can't be packed");
    }
  }
  if (failure == nullptr) {
    task.submit(owner, number);
  } else {
    task.fail(owner, number, failure);
  }
}

/// The future of a map, to whom the results of its chunks go.
template <typename R>
class MapState final : public futures::ResultState<
                           std::conditional_t<std::is_void_v<R>, void, std::vector<Element<R>>>>,
                       public TaskOwner {
 public:
  using Results = std::vector<Element<R>>;
  using Value = std::conditional_t<std::is_void_v<R>, void, Results>;

  std::function<void(const Results&)> callback;
  std::function<void(std::exception_ptr)> error_callback;

  MapState(std::size_t elements, std::size_t chunksize)
      : elements_(elements), chunksize_(chunksize) {
    left_ = chunksize == 0 ? 0 : (elements + chunksize - 1) / chunksize;
    if constexpr (is_in_place) {
      results_.resize(elements);
    } else if constexpr (!std::is_void_v<R>) {
      chunks_.resize(left_);
    }
    if (left_ == 0) settle();
  }

  void hold() noexcept override { this->retain(); }
  void let_go() noexcept override { this->release(); }
  bool begin(std::uint32_t /*index*/) noexcept override {
    this->claim();
    return this->phase() != futures::SharedState::Phase::cancelled;
  }
  void cancelled(std::uint32_t /*index*/) noexcept override { this->cancel(); }

  void arrived(std::uint32_t index, pickle::Reader& result) override {
    const std::size_t first = index * chunksize_;
    const std::size_t count = std::min(chunksize_, elements_ - first);
    if constexpr (is_in_place) {
      if constexpr (pickle::packing::flat<R> && !pickle::packing::checked<R>) {
        result.read(&results_[first], count * sizeof(R));
      } else {
        for (std::size_t i = 0; i < count; ++i) results_[first + i] = pickle::unpack<R>(result);
      }
    } else if constexpr (!std::is_void_v<R>) {
      chunks_[index].reserve(count);
      for (std::size_t i = 0; i < count; ++i) {
        chunks_[index].push_back(pickle::unpack<R>(result));
      }
    }
    if (--left_ == 0) settle();
  }

  void failed(std::uint32_t /*index*/, const std::exception_ptr& exception) noexcept override {
    if (exception_ == nullptr) exception_ = exception;
    if (--left_ == 0) settle();
  }

 private:
  // Where results can be before they are there.
  static constexpr bool is_in_place =
      std::is_default_constructible_v<Element<R>> && !std::is_void_v<R>;

  void settle() noexcept {
    try {
      this->begin_setting();
    } catch (const futures::InvalidStateError&) {
      return;  // It was cancelled, or the program has set it itself.
    }
    try {
      if (exception_ == nullptr) keep_results();
    } catch (...) {
      exception_ = std::current_exception();
    }
    futures::call_back(
        [](void* self) {
          auto& state = *static_cast<MapState*>(self);
          if (state.exception_ != nullptr) {
            if (state.error_callback) state.error_callback(state.exception_);
          } else if (state.callback) {
            if constexpr (std::is_void_v<R>) {
              state.callback(Results(state.elements_));
            } else {
              state.callback(state.kept());
            }
          }
        },
        this);
    this->finish(exception_);
  }

  void keep_results() {
    if constexpr (std::is_void_v<R>) {
      this->keep();
    } else if constexpr (is_in_place) {
      this->keep(std::move(results_));
    } else {
      Results all;
      all.reserve(elements_);
      for (Results& chunk : chunks_) {
        std::move(chunk.begin(), chunk.end(), std::back_inserter(all));
      }
      this->keep(std::move(all));
    }
  }

  const std::size_t elements_;
  const std::size_t chunksize_;
  /// Chunks that are not settled.
  std::size_t left_ = 0;
  Results results_;
  std::vector<Results> chunks_;
  std::exception_ptr exception_;
};

/// As many elements a chunk as make four chunks a worker; as Python.
inline std::size_t default_chunksize(std::size_t elements, std::size_t workers) noexcept {
  const std::size_t chunks = workers * 4;
  return elements / chunks + (elements % chunks != 0 ? 1 : 0);
}
/// Throws ValueError below 1.
std::size_t checked_chunksize(int chunksize);
std::size_t workers_of(const WorkerPool& pool) noexcept;
/// Throws what says why there can be no tasks.
void check_open(const WorkerPool& pool);

/// Submits a map's chunks; returns its state, of which the caller has the reference. `prepare` is
/// called with it before.
template <Spread spread, typename F, typename Range, typename Prepare>
auto* submit_map(WorkerPool& pool, const F& function, Range&& range, std::optional<int> chunksize,
                 Prepare prepare) {
  using Map = MapOf<spread, F, Range>;
  Map::check();
  using E = typename Map::Element;
  using R = typename Map::Result;
  if constexpr (!Map::is_in_place) {
    check_open(pool);
    std::vector<E> elements;
    if constexpr (std::ranges::sized_range<Range>) elements.reserve(std::ranges::size(range));
    for (auto&& element : range) elements.emplace_back(std::forward<decltype(element)>(element));
    return submit_map<spread>(pool, function, elements, chunksize, std::move(prepare));
  } else {
    const auto count = static_cast<std::size_t>(std::ranges::distance(range));
    const std::size_t size =
        chunksize ? checked_chunksize(*chunksize) : default_chunksize(count, workers_of(pool));
    if (count == 0) check_open(pool);
    auto* const state = new MapState<R>(count, size);
    const futures::StateHandle keep(state);
    prepare(*state);
    auto it = std::ranges::begin(range);
    for (std::size_t index = 0, done = 0; done < count; ++index) {
      const std::size_t next = std::min(size, count - done);
      submit_chunk<E>(pool, *state, index, chunk_kind<spread, F, E, R>, function, it, next);
      std::ranges::advance(it, static_cast<std::iter_difference_t<decltype(it)>>(next));
      done += next;
    }
    state->retain();
    return state;
  }
}

// --- results one by one --------------------------------------------------------------------------

[[noreturn]] void throw_too_late();

/// The order in which results come.
enum class Order { of_elements, of_completion };
/// What comes after an exception.
enum class OnException { goes_on, ends };

/// What imap, imap_unordered and ProcessPoolExecutor::map return: a range, to be gone through once,
/// in one thread. Elements are taken from the given range as results are taken from this one, some
/// chunks ahead; a range given as an lvalue must live as long as this.
template <Spread spread, typename F, typename Range>
class ImapResults {
  using Map = MapOf<spread, F, Range>;
  using E = typename Map::Element;
  using R = typename Map::Result;
  using Chunk = Partial<R>;

 public:
  using Result = Element<R>;

  ImapResults(std::shared_ptr<WorkerPool> pool, F function, Range&& range, std::size_t chunksize,
              std::size_t most_ahead, Order order, OnException on_exception,
              std::int64_t deadline = Timeout().deadline())
      : pool_(std::move(pool)),
        source_(*pool_),
        function_(std::move(function)),
        range_(std::forward<Range>(range)),
        chunksize_(chunksize),
        most_ahead_(most_ahead),
        order_(order),
        on_exception_(on_exception),
        deadline_(deadline),
        cursor_(std::ranges::begin(range_)) {
    Map::check();
    if (order_ == Order::of_completion)
      done_ = std::make_shared<queue::Queue<futures::Future<Chunk>>>();
    submit_chunks();
  }
  ImapResults(const ImapResults&) = delete;
  ImapResults& operator=(const ImapResults&) = delete;
  ~ImapResults() { drop(); }

  /// The next result; none after the last one. Throws what the call has thrown (the next results
  /// can still be had, unless it is an executor's), and TimeoutError if it has not come in time;
  /// after the results of what was submitted, what keeps the rest from being so: ValueError when
  /// the pool was joined or terminated, an executor's RuntimeError, what the range has thrown.
  /// Python: IMapIterator.next.
  std::optional<Result> next(Timeout timeout = forever) {
    while (next_ == values().size()) {
      if (exception() != nullptr) {
        if (on_exception_ == OnException::ends) drop();
        std::rethrow_exception(std::exchange(exception(), nullptr));
      }
      if (chunks_.empty()) {
        if (refusal_ != nullptr) std::rethrow_exception(refusal_);
        return std::nullopt;
      }
      taken_ = take_chunk(timeout);
      next_ = 0;
      go_on();
    }
    return std::move(values()[next_++]);
  }

  struct End {};
  class Iterator {
   public:
    using value_type = Result;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit Iterator(ImapResults& results) : results_(&results) { ++*this; }
    Result& operator*() const noexcept { return *results_->current_; }
    Iterator& operator++() {
      results_->current_ = results_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(End) const noexcept { return !results_->current_; }

   private:
    ImapResults* results_;
  };
  Iterator begin() { return Iterator(*this); }
  End end() const noexcept { return {}; }

 private:
  std::vector<Result>& values() noexcept { return std::get<0>(taken_); }
  std::exception_ptr& exception() noexcept { return std::get<1>(taken_); }

  void go_on() noexcept {
    if (refusal_ != nullptr) return;
    try {
      submit_chunks();
    } catch (...) {
      refusal_ = std::current_exception();
      source_.end();
    }
  }

  void submit_chunks() {
    std::vector<E> elements;
    while (chunks_.size() < most_ahead_ && cursor_ != std::ranges::end(range_)) {
      elements.clear();
      for (; elements.size() < chunksize_ && cursor_ != std::ranges::end(range_); ++cursor_) {
        elements.emplace_back(*cursor_);
      }
      auto* const state = new CallState<Chunk>;
      futures::Future<Chunk> future{futures::StateHandle(state)};
      if (order_ == Order::of_completion) {
        future.add_done_callback([done = done_](const auto& chunk) { done->put(chunk); });
      }
      submit_chunk<E>(*pool_, *state, 0, partial_kind<spread, F, E, R>, function_, elements.begin(),
                      elements.size(), Origin::source);
      chunks_.push_back(std::move(future));
    }
    if (cursor_ == std::ranges::end(range_)) source_.end();
  }

  Chunk take_chunk(Timeout timeout) {
    futures::Future<Chunk> next = next_done(timeout);
    if (std::exception_ptr exception = next.state().wait_for_outcome(platform::never)) {
      return Chunk(std::vector<Result>(), std::move(exception));
    }
    return std::move(next.state().kept());
  }

  // One that is done, and taken out of the list.
  futures::Future<Chunk> next_done(Timeout timeout) {
    if (order_ == Order::of_completion) {
      if (auto done = done_->try_get(timeout)) {
        std::erase(chunks_, *done);
        return *done;
      }
    } else if (chunks_.front().state().wait(std::min(timeout.deadline(), deadline_))) {
      const futures::Future<Chunk> done = chunks_.front();
      chunks_.pop_front();
      return done;
    }
    if (on_exception_ == OnException::ends) drop();
    throw_too_late();
  }

  void drop() noexcept {
    source_.end();
    for (const auto& chunk : chunks_) {
      if (on_exception_ == OnException::ends) chunk.cancel();
    }
    chunks_.clear();
  }

  std::shared_ptr<WorkerPool> pool_;
  TaskSource source_;
  F function_;
  /// A reference, or a range that was given away.
  Range range_;
  std::size_t chunksize_;
  /// So many chunks are ahead of what was taken.
  std::size_t most_ahead_;
  Order order_;
  OnException on_exception_;
  std::int64_t deadline_;
  std::ranges::iterator_t<Range> cursor_;
  /// In the order of their elements.
  std::deque<futures::Future<Chunk>> chunks_;
  std::shared_ptr<queue::Queue<futures::Future<Chunk>>> done_;
  Chunk taken_;
  std::size_t next_ = 0;
  /// Why no more chunks can be submitted.
  std::exception_ptr refusal_;
  std::optional<Result> current_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
