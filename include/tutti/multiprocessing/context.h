// Contexts: the multiprocessing module with a start method of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tutti/multiprocessing/process.h"
#include "tutti/multiprocessing/start_method.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

class Pool;
struct PoolOptions;

/// Makes processes and pools of one start method; a plain value.
///
///     auto context = multiprocessing::get_context("spawn");
///     auto p = context.Process(count_words, folder);
///     auto pool = context.Pool(4);
///
/// Python counterpart: what multiprocessing.get_context returns.
class Context {
 public:
  explicit constexpr Context(StartMethod method) noexcept : method_(method) {}

  /// As the constructors of multiprocessing::Process.
  multiprocessing::Process Process(ProcessOptions options = {}) const {
    options.start_method = method_;
    return multiprocessing::Process(std::move(options));
  }
  template <typename F, typename... Args>
  requires(!std::same_as<std::decay_t<F>, ProcessOptions>) &&
      std::invocable<std::decay_t<F>, std::decay_t<Args>...> multiprocessing::Process
      Process(F&& function, Args&&... args) const {
    return Process(
        ProcessOptions{.target = Callable(std::forward<F>(function), std::forward<Args>(args)...)});
  }

  /// As the constructors of multiprocessing::Pool, of tutti/multiprocessing/pool.h.
  multiprocessing::Pool Pool(std::optional<int> processes = std::nullopt) const;
  multiprocessing::Pool Pool(PoolOptions options) const;

  StartMethod method() const noexcept { return method_; }
  std::string get_start_method() const { return to_string(method_); }

 private:
  StartMethod method_;
};

/// The context of a start method; without one, of that in force. Throws ValueError for a method
/// that is none of get_all_start_methods().
Context get_context();
Context get_context(std::string_view method);

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
