// futures::Future: a result that is not there yet.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "tutti/errors.h"
#include "tutti/futures/shared_state.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::futures {

template <typename T>
class Future;

/// What a future of a T keeps: nothing for void, the address for a reference.
template <typename T>
class ResultState : public SharedState {
 public:
  using Kept = std::conditional_t<
      std::is_void_v<T>, std::monostate,
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>>;

  template <typename... Result>
  void keep(Result&&... result) {
    if constexpr (std::is_reference_v<T>) {
      (kept_.emplace(std::addressof(result)), ...);
    } else {
      kept_.emplace(std::forward<Result>(result)...);
    }
  }
  decltype(auto) kept() noexcept {
    if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(**kept_);
    } else {
      return static_cast<T&>(*kept_);
    }
  }

 private:
  std::optional<Kept> kept_;
};

/// A function with its arguments, and the future of what it returns.
template <typename T, typename F, typename... Args>
class Task final : public ResultState<T> {
 public:
  template <typename G, typename... Given>
  explicit Task(G&& function, Given&&... args)
      : bound_(std::in_place, std::forward<G>(function), std::forward<Given>(args)...) {}

 private:
  void call() override {
    // The function and its arguments are gone before anybody sees the result.
    struct Dropped {
      ~Dropped() { task.bound_.reset(); }
      Task& task;
    } dropped{*this};
    const auto invoke = [](auto&... bound) -> T { return std::invoke(std::move(bound)...); };
    if constexpr (std::is_void_v<T>) {
      std::apply(invoke, *bound_);
    } else {
      this->keep(std::apply(invoke, *bound_));
    }
  }

  std::optional<std::tuple<F, Args...>> bound_;
};

/// A result that is not there yet: of a call that an executor makes, or one that somebody sets.
///
///     futures::Future<int> total = pool.submit(add_up, numbers);
///     int sum = total.result();              // waits; throws what add_up has thrown
///     int again = co_await total;            // in a coroutine: waits without holding a thread
///
/// A Future is a handle, as a name is in Python: copies are the same future and compare equal.
/// Thread-safe, except that one handle must not be assigned to in one thread and used in another.
/// One that was moved from can only be assigned to and destroyed.
/// Python counterpart: concurrent.futures.Future.
template <typename T>
class Future {
 public:
  using value_type = T;

  /// A future that somebody will set. A coroutine that returns a Future needs none.
  Future() : state_(new ResultState<T>) {}

  /// Cancels the call if it has not begun, or the future if nobody has set it. False if it is too
  /// late. Callbacks are called and waiting threads go on.
  bool cancel() const noexcept { return StateHandle(state_).get()->cancel(); }
  bool cancelled() const noexcept { return state().look() == SharedState::Phase::cancelled; }
  bool running() const noexcept {
    const SharedState::Phase phase = state().look();
    return phase == SharedState::Phase::running || phase == SharedState::Phase::setting;
  }
  /// True once it has a result or an exception, or was cancelled.
  bool done() const noexcept { return state().look() >= SharedState::Phase::cancelled; }

  /// Waits for the result, at most for `timeout`. Throws what the call has thrown, TimeoutError if
  /// it was not done in time, CancelledError if it was cancelled, DeadlockError if the call itself
  /// asks for its own result, KeyboardInterrupt in an interrupted main thread.
  ///
  /// The reference is good as long as there is a handle. From a handle that is about to go, as in
  /// `pool.submit(f).result()`, it is a copy, or the result itself if that can only be moved: then
  /// it can be had once.
  decltype(auto) result(Timeout timeout = forever) const& {
    wait_for_result(timeout);
    if constexpr (std::is_reference_v<T>) {
      return state().kept();
    } else if constexpr (!std::is_void_v<T>) {
      return static_cast<const T&>(state().kept());
    }
  }
  T result(Timeout timeout = forever) && {
    wait_for_result(timeout);
    if constexpr (std::is_reference_v<T> || std::is_copy_constructible_v<T>) {
      return state().kept();
    } else if constexpr (!std::is_void_v<T>) {
      return std::move(state().kept());
    }
  }

  /// What the call has thrown; null if it returned. Waits and throws as result().
  std::exception_ptr exception(Timeout timeout = forever) const {
    return state().wait_for_outcome(timeout.deadline());
  }

  /// Calls `function(future)` once this is done or cancelled, in the thread that makes it so; at
  /// once, in the calling thread, if it is done already. Functions are called in the order in which
  /// they were added. What one throws goes to threading::excepthook.
  template <typename F>
  requires std::invocable < std::decay_t<F>
  &, Future > void add_done_callback(F&& function) const {
    auto callback = std::make_unique<Callback<std::decay_t<F>>>(std::forward<F>(function));
    if (state().listen(*callback)) {
      callback.release();
    } else {
      callback.release()->notify(state());
    }
  }

  // --- for who fulfils it ---

  /// For executors: true if the work is to be done now, false if it was cancelled. Throws
  /// RuntimeError the second time.
  bool set_running_or_notify_cancel() const { return state().claim_or_notify_cancel(); }

  /// Sets the result, made of `arguments`: none for void. Throws InvalidStateError if it is done
  /// already, or is the future of a call; if the result can't be made, nothing has changed.
  template <typename... Result>
  void set_result(Result&&... arguments) const {
    static_assert(!std::is_void_v<T> || sizeof...(Result) == 0, "a Future<void> has no value");
    static_assert(!std::is_reference_v<T> || (std::is_lvalue_reference_v<Result&&> && ...),
                  "a Future<T&> refers to an object that stays");
    // Whoever waits may drop this handle as soon as the future is done.
    const StateHandle held(state_);
    auto& mine = static_cast<ResultState<T>&>(*held.get());
    const SharedState::Phase before = mine.begin_setting();
    try {
      mine.keep(std::forward<Result>(arguments)...);
    } catch (...) {
      mine.abandon_setting(before);
      throw;
    }
    mine.finish();
  }
  /// The same with an exception: an object or a std::exception_ptr, which must not be null
  /// (ValueError).
  template <typename E>
  void set_exception(E&& exception) const {
    std::exception_ptr pointer;
    if constexpr (std::is_same_v<std::decay_t<E>, std::exception_ptr>) {
      pointer = std::forward<E>(exception);
      if (pointer == nullptr) throw ValueError("set_exception: the exception is null");
    } else {
      pointer = std::make_exception_ptr(std::forward<E>(exception));
    }
    const StateHandle held(state_);
    held.get()->begin_setting();
    held.get()->finish(std::move(pointer));
  }

  /// True for handles of the same future.
  bool operator==(const Future& other) const noexcept { return state_.get() == other.state_.get(); }

  /// For this library: what the handle stands for.
  explicit Future(StateHandle handle) noexcept : state_(std::move(handle)) {}
  ResultState<T>& state() const noexcept { return static_cast<ResultState<T>&>(*state_.get()); }

 private:
  template <typename F>
  class Callback;

  void wait_for_result(Timeout timeout) const {
    const std::exception_ptr& exception = state().wait_for_outcome(timeout.deadline());
    if (exception != nullptr) std::rethrow_exception(exception);
  }

  StateHandle state_;
};

/// Calls what a user's callback does, and has what it throws reported.
void call_back(void (*function)(void*), void* argument) noexcept;

template <typename T>
template <typename F>
class Future<T>::Callback final : public Listener {
 public:
  template <typename G>
  explicit Callback(G&& function)
      : Listener(Kind::callback), function_(std::forward<G>(function)) {}

  void notify(SharedState& state) noexcept override {
    state.retain();
    std::pair<F&, Future> call(function_, Future(StateHandle(&state)));
    call_back(
        [](void* argument) {
          auto& [function, future] = *static_cast<std::pair<F&, Future>*>(argument);
          std::invoke(function, future);
        },
        &call);
    delete this;
  }

 private:
  F function_;
};

}  // namespace tutti::inline TUTTI_ABI::futures

/// So that futures can be keys: std::unordered_map<futures::Future<Page>, Address>.
template <typename T>
struct std::hash<tutti::futures::Future<T>> {
  std::size_t operator()(const tutti::futures::Future<T>& future) const noexcept {
    return std::hash<const void*>()(&future.state());
  }
};
