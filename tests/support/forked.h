// Processes of a test: forked children, and objects that they share with it.
#pragma once

#include <sys/types.h>

#include <concepts>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "tutti/platform/floor.h"

namespace tests {

/// A child of the test's process, which does `work` and ends with its result, or 0, as exit code;
/// 99 if an exception leaves it (which it prints). Killed and reaped, if it lives still, when this
/// is destroyed.
class Forked {
 public:
  template <std::invocable Work>
  explicit Forked(Work work)
      : Forked(std::function<int()>([&work] {
          if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
            work();
            return 0;
          } else {
            return work();
          }
        })) {}
  explicit Forked(const std::function<int()>& work);
  ~Forked();
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  pid_t pid() const { return pid_; }
  /// Waits for its end: its exit code, or the negative number of the signal that has killed it.
  int join();
  /// Kills it by SIGKILL, and waits until it is gone.
  void kill();

 private:
  pid_t pid_;
  std::optional<int> code_;
};

/// A T in memory that later children share.
template <typename T, typename... Args>
std::shared_ptr<T> make_shared_with_children(Args&&... args) {
  void* pages = tutti::platform::map_shared(sizeof(T), nullptr).pages;
  // Left mapped: a test needs few of them.
  return {new (pages) T(std::forward<Args>(args)...), [](T* object) { object->~T(); }};
}

}  // namespace tests
