// What a process runs: any invocable with its arguments, moved into one object.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A move-only function object without arguments and result; empty by default. Made from any
/// invocable: functions, lambdas (move-only ones too), member functions with their object.
/// Arguments are copied or moved in; what a forked child changes in them, its parent does not see.
class Callable {
 public:
  Callable() noexcept = default;

  template <typename F, typename... Args>
  requires(!std::same_as<std::decay_t<F>, Callable>) &&
      std::invocable<std::decay_t<F>, std::decay_t<Args>...> Callable(F&& function, Args&&... args)
      : bound_(std::make_unique<Bound<std::decay_t<F>, std::decay_t<Args>...>>(
            std::forward<F>(function), std::forward<Args>(args)...)) {}

  explicit operator bool() const noexcept { return bound_ != nullptr; }
  /// Calls the function, once; the arguments are moved into it.
  void operator()() { bound_->call(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void call() = 0;
  };

  template <typename F, typename... Args>
  struct Bound final : Base {
    template <typename G, typename... Given>
    explicit Bound(G&& g, Given&&... given)
        : function(std::forward<G>(g)), args(std::forward<Given>(given)...) {}
    void call() override {
      std::apply([this](Args&... a) { std::invoke(std::move(function), std::move(a)...); }, args);
    }
    F function;
    std::tuple<Args...> args;
  };

  std::unique_ptr<Base> bound_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
