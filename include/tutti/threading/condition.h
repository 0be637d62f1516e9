// threading::Condition: wait until another thread says that something has changed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "tutti/threading/lock.h"
#include "tutti/threading/named.h"
#include "tutti/threading/rlock.h"
#include "tutti/threading/timed_lockable.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

/// A condition variable with its lock: its own RLock, or a Lock or RLock given to it (which several
/// conditions may share).
///
///     std::unique_lock held(changed);                 // "with changed:"
///     changed.wait_for([&] { return !items.empty(); });
///
/// notify() wakes in the order in which threads began to wait, and exactly those that were waiting.
/// The woken get their turn at the lock when the notifier releases it, one after the other, so they
/// don't all run for it at once. There are no spurious wake-ups; conditions are still best waited
/// for by wait_for, since another thread may come in between.
///
/// Thread-safe. A lock given to it must outlive it. Python counterpart: threading.Condition.
class Condition : public TimedLockable<Condition>, public Named {
 public:
  constexpr Condition() noexcept : lock_(&own_), is_rlock_(true) {}
  explicit constexpr Condition(Lock& lock) noexcept : lock_(&lock), is_rlock_(false) {}
  explicit constexpr Condition(RLock& lock) noexcept : lock_(&lock), is_rlock_(true) {}
  /// With a name for messages, which its own lock has too.
  explicit Condition(std::string name) : Condition() { set_name(std::move(name)); }
  Condition(Lock& lock, std::string name) : Condition(lock) { set_name(std::move(name)); }
  Condition(RLock& lock, std::string name) : Condition(lock) { set_name(std::move(name)); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// Names the condition, and its own lock, if that is the one it has.
  void set_name(std::string name);

  /// Lock::acquire of the condition's lock, in all its forms.
  void acquire();
  using TimedLockable::acquire;
  /// Lock::lock, or RLock::lock.
  void lock();
  void release();
  /// True while some thread holds the condition's lock.
  bool locked() const noexcept;

  /// Releases the lock (an RLock in full, however deep), waits to be notified, and acquires it
  /// again as it was. False when `timeout` passed first; a negative one polls. Throws RuntimeError
  /// when the caller does not hold the lock. With the lock held again: KeyboardInterrupt in an
  /// interrupted main thread, and OwnerDiedError when a thread has ended while it held the lock.
  bool wait(Timeout timeout = forever);

  /// Waits until `predicate()` is true, checking it with the lock held, first without waiting; and
  /// returns what it last returned: a false value when `timeout` passed.
  template <std::invocable Predicate>
  auto wait_for(Predicate&& predicate, Timeout timeout = forever) {
    const std::int64_t deadline = timeout.deadline();
    auto result = predicate();
    while (!result && wait_until(deadline)) result = predicate();
    // A notification that came too late to be heard may still have made it true.
    if (!result) result = predicate();
    return result;
  }

  /// Lets the `n` longest waiting threads go on, or all if there are fewer. Throws RuntimeError
  /// when the caller does not hold the lock, ValueError when `n` is negative.
  void notify(int n = 1);
  /// Lets all waiting threads go on. Throws RuntimeError when the caller does not hold the lock.
  void notify_all();
  /// Spelling of Python 2.
  void notifyAll() { notify_all(); }

 private:
  friend TimedLockable;

  bool acquire_checked(bool blocking, Timeout timeout);
  bool wait_until(std::int64_t deadline);
  void notify_up_to(std::size_t n);
  /// With the queue's guard held.
  void count_waiting(int change) noexcept;
  sync::LockCell& cell() const noexcept;
  runtime::WaitKind lock_kind() const noexcept;
  bool is_held_by_caller() const noexcept;

  void* lock_;
  RLock own_;
  /// Number of queued waiters; changed under the queue's guard.
  platform::atomic<std::uint32_t> waiting_{0};
  bool is_rlock_;
};

}  // namespace tutti::inline TUTTI_ABI::threading
