// multiprocessing::Pool: functions called in worker processes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include "tutti/multiprocessing/async_result.h"
#include "tutti/multiprocessing/callable.h"
#include "tutti/multiprocessing/context.h"
#include "tutti/multiprocessing/pool_call.h"
#include "tutti/multiprocessing/pool_map.h"
#include "tutti/multiprocessing/worker_lost.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Python's keyword arguments of Pool, and `retries`.
struct PoolOptions {
  /// How many workers; left out: the number of cores that this process may use. ValueError below 1.
  std::optional<int> processes = std::nullopt;
  /// Called in each worker first: `.initializer = {connect, "database"}`. If it throws, the worker
  /// ends, and another is started; when that goes on so, the pool is broken: everything that is
  /// pending, and later calls, fail with BrokenProcessPool.
  Callable initializer = {};
  /// So many tasks a worker runs before another takes its place; left out: all. ValueError below 1.
  std::optional<int> maxtasksperchild = std::nullopt;
  /// So many times a task whose worker was lost is given to another, before its result is
  /// WorkerLost. ValueError below 0.
  int retries = 0;
  /// How the workers are started: `.context = get_context("spawn")`; left out: as
  /// set_start_method() says.
  std::optional<Context> context = std::nullopt;
};

/// What is called in the parent when a result is there: see callbacks().
template <typename C, typename E>
struct Callbacks {
  C callback;
  E error_callback;
};
/// For Pool's methods that don't wait: `callback(result)` when all is well, `error_callback(
/// std::exception_ptr)` when not. They are called in one thread of the pool's, which reads all its
/// results: so they should be short, and must not wait for other results. What they throw goes to
/// threading::excepthook.
template <typename C, typename E = void (*)(std::exception_ptr)>
Callbacks<C, E> callbacks(
    C callback, E error_callback = [](std::exception_ptr) {}) {
  return {std::move(callback), std::move(error_callback)};
}

/// Worker processes that call functions for this one.
///
///     multiprocessing::Pool pool(4);
///     std::vector<Size> sizes = pool.map(size_of, files);
///     auto total = pool.apply_async(add_up, numbers);
///     for (const Page& page : pool.imap_unordered(fetch, addresses)) …
///     use(total.get(10));
///
/// A function is a pointer to one, a lambda without captures, or a function object that can be
/// packed; arguments, elements and results are values that can be (see tutti/pickle/packed.h).
/// Workers that are forked have a copy of the memory as it was when they were, the first ones when
/// the pool was made. Those that are spawned, or come from the fork server, are the program once
/// more: their static objects are new, and the initializer and its arguments must cross, too
/// (TypeError if they can't; see Callable).
///
/// Exceptions come out where the result would, with what they were caused by. They are rebuilt: as
/// the same type if it is one of std's or tutti's, otherwise as its nearest such base.
///
/// A worker that is killed, or ends in a task, takes that task with it and no other: its result is
/// WorkerLost, or it is tried again (`retries`). Another worker takes its place. There is no lock
/// that it could hold.
///
/// The destructor terminates the workers and waits for them, as the end of Python's `with` does:
/// get the results first, or close() and join(). At the end of the program the workers end, too.
/// Thread-safe; not for children that were forked later (RuntimeError).
/// Python counterpart: multiprocessing.Pool.
class Pool {
 public:
  explicit Pool(std::optional<int> processes = std::nullopt)
      : Pool(PoolOptions{.processes = processes}) {}
  /// Throws ValueError as PoolOptions says, OSError when the system has no room for the workers,
  /// RuntimeError in a daemonic process, which can't have children, and as Process::start() for
  /// workers that are not forked; TypeError for an initializer that can't be sent to such.
  explicit Pool(PoolOptions options);
  Pool(Pool&&) noexcept = default;
  Pool& operator=(Pool&&) = delete;
  ~Pool();

  std::size_t processes() const noexcept { return workers_of(*pool_); }

  /// Calls `function(args...)` in a worker, and waits for the result. Throws what AsyncResult::get
  /// does, and what apply_async does.
  template <typename F, typename... Args>
  auto apply(F&& function, Args&&... args) {
    return apply_async(std::forward<F>(function), std::forward<Args>(args)...).get();
  }

  /// The same without waiting. Throws ValueError after close() or terminate(), BrokenProcessPool
  /// for a broken pool, OSError when too much is pending for the memory there is.
  template <typename F, typename... Args>
  auto apply_async(F&& function, Args&&... args) {
    return submit([](auto&) {}, std::forward<F>(function), std::forward<Args>(args)...);
  }
  template <typename C, typename E, typename F, typename... Args>
  auto apply_async(Callbacks<C, E> callbacks, F&& function, Args&&... args) {
    return submit(
        [&](auto& state) {
          using T = typename std::remove_reference_t<decltype(state)>::Value;
          if constexpr (std::is_void_v<T>) {
            state.callback = [call = std::move(callbacks.callback)](std::monostate) { call(); };
          } else {
            state.callback = std::move(callbacks.callback);
          }
          state.error_callback = std::move(callbacks.error_callback);
        },
        std::forward<F>(function), std::forward<Args>(args)...);
  }

  /// The results of `function` for each element, in their order, as a std::vector; nothing for a
  /// function that returns nothing. `chunksize` elements are one task; left out: so many that there
  /// are four tasks a worker. At an exception the others of its task are not made; it comes out
  /// when all tasks are done.
  template <std::ranges::input_range R, typename F>
  auto map(F&& function, R&& elements, std::optional<int> chunksize = std::nullopt) {
    return wait_for_map<Spread::whole>(function, elements, chunksize);
  }
  /// The elements are read and packed before this returns.
  template <std::ranges::input_range R, typename F>
  auto map_async(F&& function, R&& elements, std::optional<int> chunksize = std::nullopt) {
    return begin_map<Spread::whole>([](auto&) {}, function, elements, chunksize);
  }
  template <typename C, typename E, std::ranges::input_range R, typename F>
  auto map_async(Callbacks<C, E> callbacks, F&& function, R&& elements,
                 std::optional<int> chunksize = std::nullopt) {
    return begin_map<Spread::whole>(setter(callbacks), function, elements, chunksize);
  }
  /// The same for elements that are tuples, of which each is all the arguments of a call.
  template <std::ranges::input_range R, typename F>
  auto starmap(F&& function, R&& tuples, std::optional<int> chunksize = std::nullopt) {
    return wait_for_map<Spread::star>(function, tuples, chunksize);
  }
  template <std::ranges::input_range R, typename F>
  auto starmap_async(F&& function, R&& tuples, std::optional<int> chunksize = std::nullopt) {
    return begin_map<Spread::star>([](auto&) {}, function, tuples, chunksize);
  }
  template <typename C, typename E, std::ranges::input_range R, typename F>
  auto starmap_async(Callbacks<C, E> callbacks, F&& function, R&& tuples,
                     std::optional<int> chunksize = std::nullopt) {
    return begin_map<Spread::star>(setter(callbacks), function, tuples, chunksize);
  }

  /// The results one by one, in the order of the elements. These are taken from their range when
  /// they are needed, `most_ahead` chunks ahead of the results that were taken (Python takes them
  /// all at once), so the range may be endless. That goes on after close(), but not after join():
  /// go through the results before. After an exception the next results can be had. Throws
  /// ValueError for a number below 1.
  template <std::ranges::input_range R, typename F>
  auto imap(F&& function, R&& elements, int chunksize = 1,
            std::optional<int> most_ahead = std::nullopt) {
    return iterate<R>(std::forward<F>(function), std::forward<R>(elements), chunksize, most_ahead,
                      Order::of_elements);
  }
  /// The same in the order in which the tasks are done.
  template <std::ranges::input_range R, typename F>
  auto imap_unordered(F&& function, R&& elements, int chunksize = 1,
                      std::optional<int> most_ahead = std::nullopt) {
    return iterate<R>(std::forward<F>(function), std::forward<R>(elements), chunksize, most_ahead,
                      Order::of_completion);
  }

  /// From now on nothing is accepted, but what an imap that was begun takes from its range. When
  /// all tasks are done, and those imaps at their ends or gone, the workers end. Throws
  /// RuntimeError in a process that was forked from the pool's.
  void close();
  /// Ends the workers at once, by SIGTERM, and by SIGKILL a second later; tasks that are not done
  /// fail with RuntimeError. Throws as close().
  void terminate();
  /// Waits until the workers have ended and all callbacks were called. An imap takes no more
  /// elements from now on: nobody may go through it any more. What it has submitted is done, and
  /// its results can be had; then it throws ValueError, if that was not all. Throws ValueError
  /// before close() and terminate(), DeadlockError in a callback, KeyboardInterrupt in an
  /// interrupted main thread.
  void join();

 private:
  template <typename C, typename E>
  static auto setter(Callbacks<C, E>& callbacks) {
    return [&](auto& state) {
      if constexpr (std::is_void_v<typename std::remove_reference_t<decltype(state)>::Value>) {
        state.callback = [call = std::move(callbacks.callback)](const auto&) { call(); };
      } else {
        state.callback = std::move(callbacks.callback);
      }
      state.error_callback = std::move(callbacks.error_callback);
    };
  }

  template <typename Prepare, typename F, typename... Args>
  auto submit(Prepare prepare, F&& function, Args&&... args) {
    using Function = std::decay_t<F>;
    using Arguments = ArgumentsOf<Function, Args...>;
    CallOf<Function, Arguments>::check();
    using T = typename CallOf<Function, Arguments>::Result;
    auto* const state = new CallState<T>;
    futures::Future<T> future{futures::StateHandle(state)};
    prepare(*state);
    submit_packed(*pool_, *state, Function(std::forward<F>(function)), Arguments{},
                  std::forward<Args>(args)...);
    return AsyncResult<T>(std::move(future));
  }

  template <Spread spread, typename Prepare, typename F, typename R>
  auto begin_map(Prepare prepare, const F& function, R&& elements, std::optional<int> chunksize) {
    auto* const state = submit_map<spread>(*pool_, std::decay_t<F>(function), elements, chunksize,
                                           std::move(prepare));
    using T = typename std::remove_reference_t<decltype(*state)>::Value;
    return AsyncResult<T>(futures::Future<T>(futures::StateHandle(state)));
  }

  template <Spread spread, typename F, typename R>
  auto wait_for_map(const F& function, R&& elements, std::optional<int> chunksize) {
    auto* const state =
        submit_map<spread>(*pool_, std::decay_t<F>(function), elements, chunksize, [](auto&) {});
    const futures::StateHandle held(state);
    if (const std::exception_ptr& exception = state->wait_for_outcome(platform::never)) {
      std::rethrow_exception(exception);
    }
    using T = typename std::remove_reference_t<decltype(*state)>::Value;
    if constexpr (!std::is_void_v<T>) return std::move(state->kept());
  }

  template <typename R, typename F>
  auto iterate(F&& function, R&& elements, int chunksize, std::optional<int> most_ahead,
               Order order) {
    return ImapResults<Spread::whole, std::decay_t<F>, R>(
        pool_, std::forward<F>(function), std::forward<R>(elements), checked_chunksize(chunksize),
        most_ahead_for(most_ahead), order, OnException::goes_on);
  }
  std::size_t most_ahead_for(std::optional<int> most_ahead) const;

  std::shared_ptr<WorkerPool> pool_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
