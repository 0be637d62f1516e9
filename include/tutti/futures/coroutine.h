// Futures in C++20 coroutines: co_await a Future, and coroutines that return one.
//
//     futures::Future<std::size_t> size_of_page(Pool& pool, std::string address) {
//       std::string page = co_await pool.submit(fetch, address);
//       co_await futures::resume_on(pool);       // from here on in one of the pool's threads
//       co_return parse(page).size();
//     }
//
// A coroutine runs in the thread that calls it until its first wait, and after a wait in the thread
// that has made the future done: the pool's, if it is of one of its calls, or the one that has
// called set_result() or cancel(). If the future is done already it goes on where it is. Its own
// future is running from the start, so it can't be cancelled, and done when the coroutine's locals
// are gone.
#pragma once

#if defined(__cpp_impl_coroutine)

#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "tutti/futures/executor.h"

namespace tutti::inline TUTTI_ABI::futures {

/// What co_await does to a coroutine that waits; lies in its frame.
template <typename T>
class Awaiter final : public Listener {
 public:
  explicit Awaiter(Future<T> future) noexcept
      : Listener(Kind::callback), future_(std::move(future)) {}

  bool await_ready() const noexcept { return future_.done(); }
  bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    // Once in the list, the coroutine may go on in another thread at any moment, and this be gone.
    return future_.state().listen(*this);
  }
  T await_resume() { return std::move(future_).result(); }

  void notify(SharedState& /*state*/) noexcept override { waiting_.resume(); }

 private:
  Future<T> future_;
  std::coroutine_handle<> waiting_;
};

/// Waits for the result without holding a thread; returns or throws as Future::result().
template <typename T>
Awaiter<T> operator co_await(Future<T> future) noexcept {
  return Awaiter<T>(std::move(future));
}

/// What resume_on returns.
class ResumeOn {
 public:
  explicit ResumeOn(Executor& executor) noexcept : executor_(executor) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    // The coroutine may end, and the executor with it, before submit() has returned.
    const std::shared_ptr<void> kept = executor_.keep_alive();
    executor_.submit([waiting] { waiting.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Executor& executor_;
};

/// co_await it, and the coroutine goes on as one of the executor's calls. Throws what submit()
/// does.
inline ResumeOn resume_on(Executor& executor) noexcept {
  return ResumeOn(executor);
}

/// What all coroutines that return a Future have in common. The result is shown when the
/// coroutine's locals and arguments are gone.
template <typename T>
class FutureOfCoroutine {
 public:
  // Being set from the start, so that nobody else can set or cancel it.
  FutureOfCoroutine() { future_.state().begin_setting(); }
  Future<T> get_return_object() const noexcept { return future_; }
  std::suspend_never initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept {
    struct Ending {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> coroutine) const noexcept {
        const Future<T> future = promise->future_;
        std::exception_ptr exception = promise->exception_;
        coroutine.destroy();
        future.state().finish(std::move(exception));
      }
      void await_resume() const noexcept {}
      const FutureOfCoroutine* promise;
    };
    return Ending{this};
  }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

 protected:
  Future<T> future_;

 private:
  std::exception_ptr exception_;
};

template <typename T>
class CoroutinePromise : public FutureOfCoroutine<T> {
 public:
  template <typename U = T>
  requires std::convertible_to<U, T>
  void return_value(U&& value) const { this->future_.state().keep(std::forward<U>(value)); }
};
template <>
class CoroutinePromise<void> : public FutureOfCoroutine<void> {
 public:
  void return_void() const { future_.state().keep(); }
};

}  // namespace tutti::inline TUTTI_ABI::futures

template <typename T, typename... Args>
struct std::coroutine_traits<tutti::futures::Future<T>, Args...> {
  using promise_type = tutti::futures::CoroutinePromise<T>;
};

#endif
