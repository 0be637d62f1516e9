// multiprocessing::AsyncResult: what comes of tasks that were given to a Pool.
#pragma once

#include <utility>

#include "tutti/futures/future.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

[[noreturn]] void throw_not_ready(const futures::SharedState& state);
/// Waits as SharedState::wait(); throws RuntimeError in a process that was forked since.
bool wait_for_pool(futures::SharedState& state, std::uint32_t process, std::int64_t deadline);
std::uint32_t calling_process() noexcept;

/// What Pool's methods that don't wait return. A handle: copies are the same result. Thread-safe,
/// except that one handle must not be assigned to in one thread and used in another.
/// Python counterpart: multiprocessing.pool.AsyncResult.
///
///     auto total = pool.apply_async(add_up, numbers);
///     …
///     use(total.get(10));
template <typename T>
class AsyncResult {
 public:
  explicit AsyncResult(futures::Future<T> future) noexcept
      : future_(std::move(future)), process_(calling_process()) {}

  /// Waits for the result, at most for `timeout`. Throws what the call has thrown, TimeoutError if
  /// it was not ready in time, WorkerLost if the worker that made the call is dead, RuntimeError if
  /// the pool was terminated or in a process that was forked from the pool's, KeyboardInterrupt in
  /// an interrupted main thread.
  T get(Timeout timeout = forever) const {
    wait(timeout);
    return futures::Future<T>(future_).result(0);
  }
  /// Waits until it is ready, at most for `timeout`.
  void wait(Timeout timeout = forever) const {
    wait_for_pool(future_.state(), process_, timeout.deadline());
  }
  /// True once the call has returned or thrown.
  bool ready() const noexcept { return future_.done(); }
  /// Whether it has returned. Throws ValueError when it is not ready.
  bool successful() const {
    if (!ready()) throw_not_ready(future_.state());
    return !future_.cancelled() && future_.state().outcome() == nullptr;
  }
  /// The same as a future: for co_await, futures::wait and as_completed.
  const futures::Future<T>& future() const noexcept { return future_; }

 private:
  futures::Future<T> future_;
  std::uint32_t process_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
