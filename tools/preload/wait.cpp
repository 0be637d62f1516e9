#include "preload/wait.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <new>
#include <span>

#include "preload/report.h"
#include "preload/ring.h"
#include "runtime/settings.h"

// Where this library begins and ends in memory; the linker knows.
extern "C" const char __ehdr_start[] __attribute__((visibility("hidden")));
extern "C" const char _end[] __attribute__((visibility("hidden")));

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

bool is_own(std::uintptr_t address) noexcept {
  return address >= reinterpret_cast<std::uintptr_t>(__ehdr_start) &&
         address < reinterpret_cast<std::uintptr_t>(_end);
}

// The calls that the thread is in, without those of this library.
platform::CallStack stack_of_program() noexcept {
  constexpr std::size_t most_own = 8;
  std::array<std::uintptr_t, platform::CallStack::deepest + most_own> calls;
  const std::span<const std::uintptr_t> all(calls.data(), platform::capture_stack(calls));
  const auto first = std::find_if_not(all.begin(), all.end(), is_own);
  platform::CallStack stack;
  stack.depth =
      std::min<std::size_t>(static_cast<std::size_t>(all.end() - first), stack.calls.size());
  std::copy_n(first, stack.depth, stack.calls.begin());
  return stack;
}

bool occupy(Thread& thread) noexcept {
  if (thread.is_occupied || !register_thread(thread)) return false;
  thread.is_occupied = true;
  // A signal's handler sees it before anything of what follows.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return true;
}

}  // namespace

Wait::Wait(runtime::WaitKind kind, const void* object, const timespec* until, clockid_t clock,
           Looks looks) noexcept
    : thread_(this_thread()), is_watched_(occupy(thread_)), kind_(kind), object_(object) {
  if (!is_watched_) return;
  const SavedError saved;
  const std::int64_t deadline =
      until == nullptr ? platform::never : on_monotonic_clock(*until, clock);
  runtime::publish_record(*thread_.slot, runtime::Reason(kind, object), deadline);
  if (looks == Looks::yes) {
    since_ = thread_.slot->since.load(platform::relaxed);
    step_ = first_look_after;
    set_due(since_ + step_);
    return;
  }
  try {
    tell_details({});
  } catch (const std::bad_alloc&) {
    // The wait is told of without.
  }
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

void Wait::tell_details(const platform::CallStack& stack) {
  runtime::WaitDetails details;
  if (const Holder holder = find_holder(kind_, object_); holder.slot != nullptr) {
    details.holder = runtime::id_of(*holder.slot);
  }
  details.object_name = place_of(object_);
  details.stack = stack;
  runtime::publish_details(*thread_.slot, runtime::read_record(*thread_.slot).stamp, details);
}

void Wait::look() noexcept {
  const SavedError saved;
  const std::int64_t now = platform::now();
  while (since_ + step_ <= now) step_ *= 2;
  set_due(since_ + step_);
  try {
    refresh_name(thread_);
    tell_details(stack_of_program());
    if (runtime::deadlock_policy() != runtime::DeadlockPolicy::off) judge();
  } catch (const std::bad_alloc&) {
    // Without memory there is no report; the next look may find some.
  }
}

void Wait::judge() {
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
