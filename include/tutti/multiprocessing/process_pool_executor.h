// futures::ProcessPoolExecutor: a pool of processes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/futures/executor.h"
#include "tutti/futures/map.h"
#include "tutti/multiprocessing/callable.h"
#include "tutti/multiprocessing/context.h"
#include "tutti/multiprocessing/pool_call.h"
#include "tutti/multiprocessing/pool_map.h"

namespace tutti::inline TUTTI_ABI::futures {

/// Python's keyword arguments of ProcessPoolExecutor.
struct ProcessPoolOptions {
  /// How many calls are made at a time; left out: the number of cores that this process may use.
  /// ValueError below 1.
  std::optional<int> max_workers = std::nullopt;
  /// Called in each worker first: `.initializer = {connect, "database"}`. If it throws, the pool is
  /// broken: calls that are not done, and later ones, fail with BrokenProcessPool.
  multiprocessing::Callable initializer = {};
  /// So many calls a worker makes before another takes its place; left out: all. ValueError
  /// below 1.
  std::optional<int> max_tasks_per_child = std::nullopt;
  /// How the workers are started: `.mp_context = multiprocessing::get_context("spawn")`; left out:
  /// as multiprocessing::set_start_method() says.
  std::optional<multiprocessing::Context> mp_context = std::nullopt;
};

/// Makes calls in worker processes.
///
///     futures::ProcessPoolExecutor pool(4);
///     futures::Future<int> total = pool.submit(add_up, numbers);
///     for (const Size& size : pool.map(size_of, files, {.chunksize = 16})) …
///
/// What can be called, and with what, is as with multiprocessing::Pool: values that cross between
/// processes. It has an Executor's interface, but is none, since calls of that are made in memory
/// that is shared. What matters more than that all go on is that none is lost unnoticed: a worker
/// that is killed breaks the pool. Its calls that are not done, and later ones, fail with
/// BrokenProcessPool, and the other workers are terminated. For one that goes on, see Pool. A call
/// that throws thread::SystemExit fails with that, and its worker goes on.
///
/// A call can be cancelled until the workers are offered it: as a rule all that are not among the
/// next few milliseconds' worth.
///
/// The destructor shuts down and waits. Thread-safe; not for children that were forked later.
/// Python counterpart: concurrent.futures.ProcessPoolExecutor.
class ProcessPoolExecutor {
 public:
  explicit ProcessPoolExecutor(std::optional<int> max_workers = std::nullopt)
      : ProcessPoolExecutor(ProcessPoolOptions{.max_workers = max_workers}) {}
  /// Throws OSError when the system has no room for the workers, RuntimeError in a daemonic
  /// process, and what Pool's constructor throws for workers that are not forked.
  explicit ProcessPoolExecutor(ProcessPoolOptions options);
  ProcessPoolExecutor(const ProcessPoolExecutor&) = delete;
  ProcessPoolExecutor& operator=(const ProcessPoolExecutor&) = delete;
  /// An interruption that comes meanwhile stays pending.
  ~ProcessPoolExecutor();

  std::size_t max_workers() const noexcept { return multiprocessing::workers_of(*pool_); }

  /// Has `function(args...)` called in a worker, and returns the future of its result. Throws
  /// RuntimeError after the shutdown, BrokenProcessPool (one, too) when the pool is broken.
  template <typename F, typename... Args>
  auto submit(F&& function, Args&&... args) {
    using Function = std::decay_t<F>;
    using Arguments = multiprocessing::ArgumentsOf<Function, Args...>;
    multiprocessing::CallOf<Function, Arguments>::check();
    using T = typename multiprocessing::CallOf<Function, Arguments>::Result;
    auto* const state = new multiprocessing::CallState<T>;
    Future<T> future{StateHandle(state)};
    multiprocessing::submit_packed(*pool_, *state, Function(std::forward<F>(function)), Arguments{},
                                   std::forward<Args>(args)...);
    return future;
  }

  /// As Executor::map: the results for each element, in their order, to be gone through once. Calls
  /// are submitted now, unless there is a buffersize, which counts in whole chunks.
  template <std::ranges::input_range R, typename F>
  auto map(F&& function, R&& elements, MapOptions options = {}) {
    return results<multiprocessing::Spread::whole, R>(std::forward<F>(function),
                                                      std::forward<R>(elements), options);
  }
  /// The same for a function of two arguments, until the shorter range ends; the ranges are read
  /// now.
  template <std::ranges::input_range R, std::ranges::input_range S, typename F>
  auto map(F&& function, R&& first, S&& second, MapOptions options = {}) {
    using Pair = std::tuple<std::ranges::range_value_t<R>, std::ranges::range_value_t<S>>;
    std::vector<Pair> pairs;
    auto other = std::ranges::begin(second);
    for (auto it = std::ranges::begin(first);
         it != std::ranges::end(first) && other != std::ranges::end(second); ++it, ++other) {
      pairs.emplace_back(*it, *other);
    }
    return results<multiprocessing::Spread::star, std::vector<Pair>>(std::forward<F>(function),
                                                                     std::move(pairs), options);
  }

  /// From now on nothing is accepted. Waits, unless told not to, until all calls have been made and
  /// the workers have ended. Throws DeadlockError in a callback of one of its futures,
  /// KeyboardInterrupt in an interrupted main thread. May be called again.
  void shutdown(ShutdownOptions options = {});

 private:
  template <multiprocessing::Spread spread, typename R, typename F>
  auto results(F&& function, R&& elements, const MapOptions& options) {
    check_map_options(options);
    const auto chunksize = static_cast<std::size_t>(options.chunksize);
    const std::size_t ahead =
        options.buffersize
            ? std::max(static_cast<std::size_t>(*options.buffersize) / chunksize, std::size_t{1})
            : std::numeric_limits<std::size_t>::max();
    return multiprocessing::ImapResults<spread, std::decay_t<F>, R>(
        pool_, std::forward<F>(function), std::forward<R>(elements), chunksize, ahead,
        multiprocessing::Order::of_elements, multiprocessing::OnException::ends,
        options.timeout.deadline());
  }

  std::shared_ptr<multiprocessing::WorkerPool> pool_;
};

}  // namespace tutti::inline TUTTI_ABI::futures
