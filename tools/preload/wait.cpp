#include "preload/wait.h"

#include <algorithm>
#include <atomic>
#include <exception>

#include "preload/report.h"
#include "preload/ring.h"
#include "runtime/settings.h"

namespace tutti::inline TUTTI_ABI::preload {

namespace {

constexpr std::int64_t first_look_after = 10'000'000;
// Between the two looks that a ring is seen in before it is told.
constexpr std::int64_t time_for_second_look = 5'000'000;

std::int64_t nanoseconds(const timespec& time) noexcept {
  constexpr std::int64_t in_second = 1'000'000'000;
  constexpr std::int64_t most_seconds = platform::never / in_second - 1;
  return std::clamp<std::int64_t>(time.tv_sec, 0, most_seconds) * in_second + time.tv_nsec;
}

std::int64_t on_monotonic_clock(const timespec& until, clockid_t clock) noexcept {
  const std::int64_t at = nanoseconds(until);
  if (clock == CLOCK_MONOTONIC) return at;
  timespec now;
  clock_gettime(clock, &now);
  return platform::now() + (at - nanoseconds(now));
}

bool is_sliced(runtime::WaitKind kind) noexcept {
  return kind == runtime::WaitKind::mutex || kind == runtime::WaitKind::rwlock ||
         kind == runtime::WaitKind::join;
}

// The work of this library must not show in errno.
class SavedError {
 public:
  SavedError() noexcept : error_(errno) {}
  ~SavedError() { errno = error_; }
  SavedError(const SavedError&) = delete;
  SavedError& operator=(const SavedError&) = delete;

 private:
  const int error_;
};

bool occupy(Thread& thread) noexcept {
  if (thread.is_occupied || !register_thread(thread)) return false;
  thread.is_occupied = true;
  // A signal's handler sees it before anything of what follows.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return true;
}

}  // namespace

Wait::Wait(runtime::WaitKind kind, const void* object, const timespec* until,
           clockid_t clock) noexcept
    : thread_(this_thread()), is_watched_(occupy(thread_)), kind_(kind), object_(object) {
  if (!is_watched_) return;
  const SavedError saved;
  const std::int64_t deadline =
      until == nullptr ? platform::never : on_monotonic_clock(*until, clock);
  runtime::publish_record(*thread_.slot, runtime::Reason(kind, object), deadline);
  if (until != nullptr || !is_sliced(kind)) {
    tell_details();
    return;
  }
  since_ = thread_.slot->since.load(platform::relaxed);
  step_ = first_look_after;
  looks_ = true;
  set_due(since_ + step_);
}

Wait::~Wait() {
  if (!is_watched_) return;
  runtime::clear_record(*thread_.slot);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  thread_.is_occupied = false;
}

void Wait::set_due(std::int64_t due) noexcept {
  constexpr std::int64_t in_second = 1'000'000'000;
  due_ = {static_cast<time_t>(due / in_second), static_cast<long>(due % in_second)};
}

__attribute__((noinline)) void Wait::tell_details() noexcept {
  if (!is_watched_) return;
  runtime::WaitDetails details;
  if (const auto holder = find_holder(kind_, object_); holder.slot != nullptr) {
    details.holder = runtime::id_of(*holder.slot);
  }
  details.object_name = place_of(object_);
  details.stack = thread_.stack.calls_from(__builtin_frame_address(0));
  runtime::publish_details(*thread_.slot, details);
}

void Wait::look() noexcept {
  const SavedError saved;
  const std::int64_t now = platform::now();
  while (since_ + step_ <= now) step_ *= 2;
  set_due(since_ + step_);
  try {
    refresh_name(thread_);
    tell_details();
    if (runtime::deadlock_policy() != runtime::DeadlockPolicy::off) judge();
  } catch (const std::exception&) {
    // Without memory there is no report; the next look may find some.
  }
}

void Wait::judge() noexcept {
  const runtime::Slot& slot = *thread_.slot;
  const std::uint32_t stamp = slot.record_stamp.load(platform::relaxed);
  if (is_told(slot, stamp)) return;
  const std::vector<Link> ring = find_ring(slot);
  const std::uint64_t mark = mark_of(ring);
  const pid_t dead_owner = ring.empty() ? find_dead_owner(kind_, object_) : 0;
  const bool is_seen_again =
      (mark != 0 && mark == ring_) || (dead_owner != 0 && dead_owner == dead_owner_);
  if (is_seen_again) {
    ring.empty() ? report_dead_owner(slot, dead_owner) : report_ring(ring);
  } else if (mark != 0 || dead_owner != 0) {
    set_due(platform::now() + time_for_second_look);
  }
  ring_ = mark;
  dead_owner_ = dead_owner;
}

}  // namespace tutti::inline TUTTI_ABI::preload
