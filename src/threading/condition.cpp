#include "tutti/threading/condition.h"

#include <limits>
#include <string>
#include <utility>

#include "sync/lock_wait.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

using sync::Bucket;
using sync::Outcome;
using sync::Waiter;

void Condition::set_name(std::string name) {
  if (lock_ == &own_) own_.set_name(name);
  Named::set_name(std::move(name));
}

void Condition::acquire() {
  is_rlock_ ? static_cast<RLock*>(lock_)->acquire() : static_cast<Lock*>(lock_)->acquire();
}

void Condition::lock() {
  is_rlock_ ? static_cast<RLock*>(lock_)->lock() : static_cast<Lock*>(lock_)->lock();
}

bool Condition::acquire_checked(bool blocking, Timeout timeout) {
  return is_rlock_ ? static_cast<RLock*>(lock_)->acquire(blocking, timeout)
                   : static_cast<Lock*>(lock_)->acquire(blocking, timeout);
}

void Condition::release() {
  is_rlock_ ? static_cast<RLock*>(lock_)->release() : static_cast<Lock*>(lock_)->release();
}

bool Condition::locked() const noexcept {
  return is_rlock_ ? static_cast<RLock*>(lock_)->locked() : static_cast<Lock*>(lock_)->locked();
}

sync::LockCell& Condition::cell() const noexcept {
  return is_rlock_ ? static_cast<RLock*>(lock_)->cell_ : static_cast<Lock*>(lock_)->cell_;
}

runtime::WaitKind Condition::lock_kind() const noexcept {
  return is_rlock_ ? runtime::WaitKind::rlock : runtime::WaitKind::lock;
}

bool Condition::is_held_by_caller() const noexcept {
  return cell().is_mine() || cell().is_held_signal();
}

bool Condition::wait(Timeout timeout) {
  return wait_until(timeout.deadline());
}

bool Condition::wait_until(std::int64_t deadline) {
  const platform::Operation operation("Condition.wait", this, platform::Access::write, lock_);
  if (!is_held_by_caller()) {
    throw_misuse("wait on", runtime::WaitKind::condition, this, "its lock is not acquired");
  }
  runtime::Self& self = runtime::self();
  runtime::check_interrupt(self);

  sync::LockCell& lock = cell();
  RLock* const rlock = is_rlock_ ? static_cast<RLock*>(lock_) : nullptr;

  Waiter waiter(self, runtime::WaitKind::condition, this);
  Bucket& bucket = sync::bucket_of(this);
  bucket.lock();
  bucket.push_back(waiter, this);
  count_waiting(1);
  bucket.unlock();
  const std::uint32_t levels = rlock == nullptr ? 0 : rlock->levels_.load(platform::relaxed);
  if (levels != 0) rlock->levels_.store(0, platform::relaxed);
  lock.release();
  // One that is out of time already takes the lock again at once, but not before others could.
  if (deadline <= platform::now()) operation.pause();

  const runtime::Ended ended = sync::wait_in_queue(
      waiter, this, deadline, [this](const Bucket&, runtime::Ended) { count_waiting(-1); });

  sync::LockWait relock(lock, waiter);
  if (ended == runtime::Ended::woken) {
    relock.resume_unconditionally();
  } else {
    waiter.reason.kind.store(lock_kind(), platform::relaxed);
    waiter.reason.object.store(&lock, platform::relaxed);
    relock.wait_unconditionally();
  }
  if (runtime::must_stop(self)) {
    lock.release();
    runtime::stop_for_good(self);
  }
  // An owner that has ended may have left its own levels behind.
  if (rlock != nullptr && (levels != 0 || self.failure != nullptr)) {
    rlock->levels_.store(levels, platform::relaxed);
  }
  runtime::throw_if_broken_off(self, ended);
  if (self.failure != nullptr) std::rethrow_exception(std::exchange(self.failure, nullptr));
  return ended == runtime::Ended::woken;
}

void Condition::count_waiting(int change) noexcept {
  const std::uint32_t waiting = waiting_.load(platform::relaxed);
  waiting_.store(waiting + static_cast<std::uint32_t>(change), platform::relaxed);
}

void Condition::notify(int n) {
  if (n < 0) throw_bad_value("cannot notify " + std::to_string(n) + " threads");
  notify_up_to(static_cast<std::size_t>(n));
}

void Condition::notify_all() {
  notify_up_to(std::numeric_limits<std::size_t>::max());
}

void Condition::notify_up_to(std::size_t n) {
  const platform::Operation operation("Condition.notify", this, platform::Access::write, lock_);
  if (!is_held_by_caller()) {
    throw_misuse("notify", runtime::WaitKind::condition, this, "its lock is not acquired");
  }
  // Who waits began to do so with the lock held, so the count is exact for its holder.
  if (waiting_.load(platform::relaxed) == 0) return;

  sync::LockCell& lock = cell();
  Bucket& waiting = sync::bucket_of(this);
  Bucket& locking = sync::bucket_of(&lock);
  Waiter* to_wake = nullptr;
  Waiter** end = &to_wake;
  {
    const sync::BucketPair both(waiting, locking);
    for (; n > 0; --n) {
      Waiter* waiter = waiting.first(this);
      if (waiter == nullptr) break;
      count_waiting(-1);
      if (sync::move_to_lock_queue(*waiter, waiting, lock, lock_kind(), locking)) continue;
      // Only a signal can be free here: somebody else has released it meanwhile.
      *end = waiting.pop(this, Outcome::woken);
      (*end)->leaves_others = false;  // It is no heir of this queue's.
      end = &(*end)->next;
    }
    *end = nullptr;
  }
  sync::wake_all(to_wake);
}

}  // namespace tutti::inline TUTTI_ABI::threading
