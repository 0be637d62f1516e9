// One wait of the calling thread, from before it begins to its end.
#pragma once

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "platform/stack.h"
#include "preload/thread.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::preload {

/// In the registry for as long as this lives, also if the thread is cancelled meanwhile; unless the
/// thread is not watched.
class Wait {
 public:
  /// Whether the thread wakes up now and then to look around.
  enum class Looks : bool { no, yes };

  Wait(runtime::WaitKind kind, const void* object, Looks looks) noexcept
      : Wait(kind, object, nullptr, 0, looks) {}
  /// One that ends at `until` by `clock`, and so is in no ring.
  Wait(runtime::WaitKind kind, const void* object, const timespec* until, clockid_t clock) noexcept
      : Wait(kind, object, until, clock, Looks::no) {}
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// When to look around next, by the monotonic clock; null if there is nothing to look for.
  const timespec* next_look() const noexcept { return since_ != 0 ? &due_ : nullptr; }
  void look() noexcept;

 private:
  Wait(runtime::WaitKind kind, const void* object, const timespec* until, clockid_t clock,
       Looks looks) noexcept;
  void set_due(std::int64_t due) noexcept;
  /// Says in the slot what is known about this wait now.
  void tell_details(const platform::CallStack& stack);
  void judge();

  Thread& thread_;
  const bool is_watched_;
  const runtime::WaitKind kind_;
  const void* const object_;
  /// When it began; 0 if the thread does not look around.
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
