// multiprocessing::Condition: wait until another process says that something has changed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "tutti/multiprocessing/lock.h"
#include "tutti/multiprocessing/rlock.h"
#include "tutti/multiprocessing/robust_lockable.h"
#include "tutti/multiprocessing/shared_object.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A condition variable with its lock: its own RLock, or a Lock or RLock given to it, which is what
/// acquire(), release(), recover() and locked() are about.
///
///     std::unique_lock held(changed);
///     changed.wait_for([&] { return shared->is_ready; });
///
/// A handle: copies are the same condition over the same lock. notify() wakes in the order in which
/// threads, of whichever process, began to wait, and exactly those that were waiting; the woken get
/// their turn at the lock one after the other. A waiter that is killed swallows no notification: it
/// goes to the next one. If the lock breaks (see Lock), those who wait get OwnerDiedError, for
/// nobody may be left who would notify.
///
/// At most 4096 threads can wait at a time. Thread-safe. Python counterpart:
/// multiprocessing.Condition.
class Condition : public SharedObject, public RobustLockable<Condition> {
 public:
  /// Throws OSError when the system has no memory or descriptor for it.
  Condition();
  explicit Condition(Lock lock);
  explicit Condition(RLock lock);
  /// With a name for messages, which its own lock has too.
  explicit Condition(std::string name);
  Condition(Lock lock, std::string name);
  Condition(RLock lock, std::string name);

  /// Lock::lock, or RLock::lock.
  void lock();

  /// Releases the lock (an RLock in full, however deep), waits to be notified, and acquires it
  /// again as it was. False when `timeout` passed first; a negative one polls. Throws RuntimeError
  /// when the caller does not hold the lock, or when 4096 threads wait already. With the lock held
  /// again: KeyboardInterrupt in an interrupted main thread, and OwnerDiedError when the lock has
  /// become broken.
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

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Condition& condition) {
    condition.pass(archive, "Condition");
    archive(condition.lock_);
  }

 private:
  friend RobustLockable;

  bool wait_until(std::int64_t deadline);
  void notify_up_to(std::size_t n);
  bool is_held_by_caller() const noexcept;
  LockRef ref() const noexcept;

  std::variant<RLock, Lock> lock_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
