// The parking lot: queues of waiting threads, found by the address of what they wait for.
//
// So a lock needs no room for its queue, and pays nothing for it while nobody waits (after WebKit's
// ParkingLot, Pizlo 2016). Addresses hash to buckets; a bucket holds the waiters of all addresses
// that fall into it, in order of arrival, under one guard.
#pragma once

#include <cstdint>

#include "runtime/chain.h"
#include "runtime/guard.h"
#include "runtime/trace.h"
#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::sync {

using runtime::Guard;
using runtime::Self;

/// What became of a waiter. Written under the guard of the bucket that it is in.
enum class Outcome : std::uint8_t {
  /// In the queue.
  queued,
  /// Taken out, to try again.
  woken,
  /// Taken out, and given what it waited for.
  granted,
  /// Taken out, because what it waited for will not come.
  refused,
};

/// One thread's place in a queue; lives on the waiting thread's stack.
///
/// A waiter that was taken out of its queue stays valid until its wake has been delivered: the
/// waking thread calls wake(), and touches it no more after that; the waiting thread does not leave
/// before.
struct Waiter {
  Waiter(Self& waiting, runtime::WaitKind kind, const void* object) noexcept
      : self(waiting), reason(kind, object) {
    runtime::prepare_to_wait(waiting);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  Self& self;
  runtime::Reason reason;
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  /// What it waits for. Changes when the waiter is moved to another queue, under both guards.
  platform::atomic<const void*> key{nullptr};
  Outcome outcome = Outcome::queued;
  /// For waiters for a lock: when they began to wait for it, in nanoseconds; `never` as long as
  /// they have not had a turn.
  std::int64_t since = platform::never;
  /// Others were still queued when this one was taken out.
  bool leaves_others = false;
};

class alignas(64) Bucket {
 public:
  void lock() noexcept { guard_.lock(); }
  void unlock() noexcept { guard_.unlock(); }

  // All of the following with the guard held.
  void push_back(Waiter& waiter, const void* key) noexcept;
  void push_front(Waiter& waiter, const void* key) noexcept;
  void remove(Waiter& waiter) noexcept;
  /// The longest waiting one for `key`, or null.
  Waiter* first(const void* key) const noexcept;
  /// True if another one waits for the same behind it.
  bool is_followed(const Waiter& waiter) const noexcept;
  /// True if the thread with this slot waits for `key`.
  bool holds(const runtime::Slot& slot, const void* key) const noexcept;
  /// Takes the first one out, with `outcome`; null if there is none. The caller wakes it.
  Waiter* pop(const void* key, Outcome outcome) noexcept;
  /// Takes all out; the result is a list linked by `next`, longest waiting first.
  Waiter* pop_all(const void* key, Outcome outcome) noexcept;

  /// By anybody; it may have changed at once.
  bool is_locked() const noexcept { return guard_.is_locked(); }
  /// Nobody has it locked, nor waits in it. Where no other thread is.
  bool is_at_rest() const noexcept { return !is_locked() && waiters_.first() == nullptr; }
  /// In a fork's child: forgets all.
  void reset() noexcept;

 private:
  Guard guard_;
  runtime::Chain<Waiter> waiters_;
};

Bucket& bucket_of(const void* key) noexcept;

/// Locks the bucket that `waiter` is in, which may change until it is locked, and returns it.
Bucket& lock_bucket_of(const Waiter& waiter) noexcept;

/// Locks two buckets, which may be the same one.
class BucketPair {
 public:
  BucketPair(Bucket& a, Bucket& b) noexcept;
  ~BucketPair();
  BucketPair(const BucketPair&) = delete;
  BucketPair& operator=(const BucketPair&) = delete;

 private:
  Bucket& first_;
  Bucket& second_;
};

/// Delivers the wake of one waiter that was taken out; it must not be touched afterwards.
inline void wake(Waiter& waiter) noexcept {
  if (runtime::trace::is_on() && waiter.outcome == Outcome::granted) {
    runtime::trace::grants(*waiter.self.slot, waiter.reason);
  }
  runtime::wake(*waiter.self.slot);
}
/// The same for a list linked by `next`.
void wake_all(Waiter* first) noexcept;

/// Waits to be woken. If the deadline passes or the main thread is interrupted while the waiter is
/// still in the queue for `key`, and `may_leave()` says so, takes it out and calls
/// `on_leaving(bucket, why)`; all under the bucket's guard. If it may not, or if somebody else had
/// taken it out or moved it to another queue before that, a wake is sure to come: then it waits for
/// that, and the wait counts as woken.
template <typename OnLeaving, typename MayLeave>
runtime::Ended wait_in_queue(Waiter& waiter, const void* key, std::int64_t deadline,
                             OnLeaving on_leaving, runtime::Interrupts interrupts,
                             MayLeave may_leave) noexcept {
  bool leaves = true;
  const auto leave = [&](runtime::Ended why) noexcept {
    Bucket& bucket = lock_bucket_of(waiter);
    leaves = waiter.outcome == Outcome::queued && waiter.key.load(platform::relaxed) == key &&
             may_leave();
    if (leaves) {
      bucket.remove(waiter);
      on_leaving(bucket, why);
    }
    bucket.unlock();
    return leaves;
  };
  const runtime::Ended ended =
      runtime::wait_or_leave(waiter.self, waiter.reason, deadline, leave, interrupts);
  // Whoever moved the waiter may have amended its record between the two waits.
  if (!leaves) runtime::restore_record(waiter.self);
  return ended;
}

template <typename OnLeaving>
runtime::Ended wait_in_queue(
    Waiter& waiter, const void* key, std::int64_t deadline, OnLeaving on_leaving,
    runtime::Interrupts interrupts = runtime::Interrupts::heeded) noexcept {
  return wait_in_queue(waiter, key, deadline, on_leaving, interrupts, [] { return true; });
}

/// Sets the parking lot up for forks; called by what must run after it in a fork's child.
void prepare_parking_lot() noexcept;

}  // namespace tutti::inline TUTTI_ABI::sync
