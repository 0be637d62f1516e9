// futures::Executor: what makes calls and gives futures of them.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

#include "tutti/futures/future.h"
#include "tutti/futures/map.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::futures {

/// Python's keyword arguments of Executor.shutdown.
struct ShutdownOptions {
  /// Return only when all calls have been made and their threads have ended.
  bool wait = true;
  /// Cancel the calls that have not begun.
  bool cancel_futures = false;
};

/// Makes calls in other threads or processes; see ThreadPoolExecutor. Python counterpart:
/// concurrent.futures.Executor.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// Has `function(args...)` called, with copies of the arguments (std::ref for what is to be
  /// shared), and returns the future of its result. Throws RuntimeError after the shutdown, at the
  /// end of the program, or when no thread can be started.
  template <typename F, typename... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  auto submit(F&& function, Args&&... args) {
    using Returned = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    // What an rvalue reference refers to may be an argument, which goes with the call.
    using Result = std::conditional_t<std::is_rvalue_reference_v<Returned>,
                                      std::remove_cvref_t<Returned>, Returned>;
    auto* task = new Task<Result, std::decay_t<F>, std::decay_t<Args>...>(
        std::forward<F>(function), std::forward<Args>(args)...);
    Future<Result> future{StateHandle(task)};
    schedule(*task);
    return future;
  }

  /// The results of `function` for each element of `elements`, in their order; the calls are
  /// submitted now. Go through it once:
  ///
  ///     for (const Size& size : pool.map(size_of, files, {.timeout = 10})) …
  ///
  /// A result's exception comes out where the result would. Results that are not taken are
  /// cancelled, if their calls have not begun, when the range goes. A range given as an lvalue is
  /// read now, unless there is a buffersize: then it must live as long as the results. See
  /// MapOptions for what is thrown.
  template <std::ranges::input_range R, typename F>
  auto map(F&& function, R&& elements, MapOptions options = {}) {
    return Results<Executor, std::decay_t<F>, R>(*this, std::forward<F>(function), options,
                                                 std::forward<R>(elements));
  }
  /// The same for a function of two arguments, until the shorter range ends.
  template <std::ranges::input_range R, std::ranges::input_range S, typename F>
  auto map(F&& function, R&& first, S&& second, MapOptions options = {}) {
    return Results<Executor, std::decay_t<F>, R, S>(
        *this, std::forward<F>(function), options, std::forward<R>(first), std::forward<S>(second));
  }

  /// From now on nothing is accepted. Waits, unless told not to, until all calls have been made.
  /// Throws DeadlockError in a call that the executor makes, KeyboardInterrupt in an interrupted
  /// main thread. May be called again.
  virtual void shutdown(ShutdownOptions options = {}) = 0;

 protected:
  friend class ResumeOn;

  /// Has the task run, or throws and it is not run.
  virtual void schedule(SharedState& task) = 0;
  /// What schedule() uses lives at least as long as this.
  virtual std::shared_ptr<void> keep_alive() const noexcept = 0;
};

}  // namespace tutti::inline TUTTI_ABI::futures
