// One wait of the calling thread, from before it begins to its end.
#pragma once

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "preload/thread.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::preload {

/// In the registry for as long as this lives, also if the thread is cancelled meanwhile; unless the
/// thread is not watched.
class Wait {
 public:
  Wait(runtime::WaitKind kind, const void* object) noexcept : Wait(kind, object, nullptr, 0) {}
  /// One that ends at `until` by `clock`.
  Wait(runtime::WaitKind kind, const void* object, const timespec* until, clockid_t clock) noexcept;
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// Says in the slot what is known about this wait now: for one that will not look around.
  void tell_details() noexcept;
  /// When to look around next, by the monotonic clock; null if there is nothing to look for.
  const timespec* next_look() const noexcept { return looks_ ? &due_ : nullptr; }
  void look() noexcept;

 private:
  void set_due(std::int64_t due) noexcept;
  void judge() noexcept;

  Thread& thread_;
  const bool is_watched_;
  bool looks_ = false;
  const runtime::WaitKind kind_;
  const void* const object_;
  std::int64_t since_ = 0;
  std::int64_t step_ = 0;
  timespec due_{};
  /// What the last look has found: a mark of the ring, and the owner that does not live.
  std::uint64_t ring_ = 0;
  pid_t dead_owner_ = 0;
};

/// Waits without limit, and looks around now and then. `wait_until` waits until a time by the
/// monotonic clock and returns ETIMEDOUT when that is over; `wait_for_good` waits without looking.
template <typename WaitUntil, typename WaitForGood>
int wait_and_look(Wait& wait, WaitUntil wait_until, WaitForGood wait_for_good) {
  while (const timespec* due = wait.next_look()) {
    if (const int result = wait_until(due); result != ETIMEDOUT) return result;
    wait.look();
  }
  return wait_for_good();
}

}  // namespace tutti::inline TUTTI_ABI::preload
