// Acquiring and releasing a lock word when the inline path did not do.
#include "tutti/sync/lock_cell.h"

#include <string>

#include "runtime/describe.h"
#include "runtime/settings.h"
#include "runtime/spin.h"
#include "runtime/trace.h"
#include "runtime/wait_graph.h"
#include "sync/held.h"
#include "sync/lock_order.h"
#include "sync/lock_wait.h"
#include "sync/wait_stats.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::sync {

namespace {

// How long a waiter may be overtaken before the lock is handed to it.
constexpr std::int64_t starving_after = 500'000;

constexpr std::uint32_t word_of(runtime::ThreadId id) {
  return id << LockCell::owner_shift;
}
constexpr runtime::ThreadId id_of_word(std::uint32_t word) {
  return word >> LockCell::owner_shift;
}

bool is_starving(const Waiter& waiter) noexcept {
  return waiter.since != platform::never && platform::now() - waiter.since > starving_after;
}

// Who holds the lock that a thread waits for. As long as the thread is in the lock's queue, which
// the guard keeps it in, the lock lives.
runtime::ThreadId holder_of_lock(runtime::ThreadId waiting,
                                 const runtime::WaitRecord& record) noexcept {
  const auto* cell = reinterpret_cast<const LockCell*>(record.object);
  Bucket& bucket = bucket_of(cell);
  bucket.lock();
  const bool is_queued = bucket.holds(runtime::slot_at(runtime::slot_number(waiting)), cell);
  const runtime::ThreadId owner = is_queued ? cell->owner() : 0;
  bucket.unlock();
  return owner;
}

[[maybe_unused]] const bool prepared = [] {
  runtime::set_holder_finder(WaitKind::lock, holder_of_lock);
  runtime::set_holder_finder(WaitKind::rlock, holder_of_lock);
  runtime::set_releaser_for_dead(
      [](runtime::ThreadId dead, const runtime::WaitRecord& record) noexcept {
        reinterpret_cast<LockCell*>(record.object)->release_for_dead(dead);
      });
  return true;
}();

// `cell` may be gone by now.
void note_release(const runtime::Self* self, runtime::ThreadId owner, const void* cell) noexcept {
  note_released(owner, cell);
  const bool is_signal = self == nullptr || !self->is(owner);
  if (is_signal) forget_order(cell);
}

[[noreturn]] void throw_owner_vanished(WaitKind kind, const void* object, std::uint32_t word) {
  const runtime::ThreadId owner = id_of_word(word);
  throw OwnerDiedError(
      runtime::describe(kind, object) + " was held by thread " + std::to_string(owner) +
      " of the parent process when this one was forked, and can't be acquired by " +
      runtime::describe_calling_thread() +
      ": fork with the lock released, or make a new lock in the child");
}

[[noreturn]] void throw_alone(WaitKind kind, const void* object) {
  throw DeadlockError(runtime::describe_calling_thread() + " waits for " +
                      runtime::describe(kind, object) +
                      ", which it holds itself, and no other thread is there to release it");
}

[[noreturn]] void throw_held_already(WaitKind kind, const void* object) {
  throw DeadlockError(runtime::describe_calling_thread() + " locks " +
                      runtime::describe(kind, object) +
                      ", which it holds itself: take an RLock to do that, or acquire() if another "
                      "thread is to release it");
}

}  // namespace

// --- LockCell ------------------------------------------------------------------------------------

std::uint32_t LockCell::owner() const noexcept {
  const std::uint32_t word = word_.load(platform::relaxed);
  const bool is_owned = !is_free(word) && owner_of(word) != signal_held;
  return is_owned ? id_of_word(word) : 0;
}

bool LockCell::is_open() const noexcept {
  return !is_locked() || is_mine() || runtime::is_interrupted();
}

bool LockCell::is_mine_slow() const noexcept {
  const runtime::Self* self = runtime::registered_self();
  return self != nullptr && owner() != 0 && self->is(owner());
}

bool LockCell::try_acquire_slow(WaitKind kind) {
  const runtime::Self& self = runtime::self();
  std::uint32_t word = word_.load(platform::relaxed);
  while (is_free(word)) {
    const std::uint32_t held = word == 0 ? word_of(self.id) : signal_held;
    if (!word_.compare_exchange_weak(word, held, platform::acquire, platform::relaxed)) continue;
    if (held != signal_held) note_taken(self, kind, this);
    return true;
  }
  return false;
}

bool LockCell::acquire_slow(WaitKind kind, std::int64_t deadline) {
  runtime::Self& self = runtime::self();
  if (deadline == platform::never && !is_signal()) note_order(self, kind, this);
  if (try_acquire_slow(kind)) return true;
  if (deadline <= platform::now()) return false;
  runtime::check_interrupt(self);
  if (const std::uint32_t word = word_.load(platform::relaxed); is_mine()) {
    if (deadline == platform::never && platform::thread_count() == 1) throw_alone(kind, this);
  } else if (runtime::vanished_in_fork(id_of_word(word))) {
    throw_owner_vanished(kind, this, word);
  }
  const runtime::trace::Wait traced(kind, this, owner());
  const std::int64_t since = platform::now();
  if (runtime::spin<runtime::Looks::ever_rarer>(this, deadline,
                                                [&] { return try_acquire_slow(kind); })) {
    return true;
  }
  Waiter waiter(self, kind, this);
  waiter.since = since;
  const bool acquired = LockWait(*this, waiter).wait(deadline);
  if (runtime::must_stop(self)) {
    if (acquired) release_slow();
    runtime::stop_for_good(self);
  }
  return acquired;
}

void LockCell::lock_slow(WaitKind kind) {
  // The exploring floor finds it by itself, and tells more.
  if (platform::needs_detector && is_mine() &&
      runtime::deadlock_policy() == runtime::DeadlockPolicy::throw_error) {
    throw_held_already(kind, this);
  }
  acquire_slow(kind, platform::never);
}

bool LockCell::release_slow() noexcept {
  const runtime::Self* self = runtime::registered_self();
  std::uint32_t word = word_.load(platform::relaxed);
  const auto free_word = [&] {
    const bool is_mine = self != nullptr && self->is(id_of_word(word));
    return is_mine ? 0 : signal_free;
  };
  while (!is_free(word) && (word & waiters_bit) == 0) {
    if (!word_.compare_exchange_weak(word, free_word(), platform::release, platform::relaxed)) {
      continue;
    }
    note_release(self, id_of_word(word), this);
    return true;
  }
  if (is_free(word)) return false;

  Bucket& bucket = bucket_of(this);
  bucket.lock();
  Waiter* const first = bucket.first(this);
  const bool hands_over = first != nullptr && is_starving(*first);
  std::uint32_t next;
  word = word_.load(platform::relaxed);
  do {
    if (is_free(word)) {  // Somebody else has released a signal.
      bucket.unlock();
      return false;
    }
    next = free_word();
    if (hands_over) {
      next = next == 0 ? word_of(first->self.id) : signal_held;
      if (bucket.is_followed(*first)) next |= waiters_bit;
    }
    // release: pairs with the acquire of whoever takes the lock next; an owner by hand-over
    // acquires by its wake.
  } while (!word_.compare_exchange_weak(word, next, platform::release, platform::relaxed));
  if (first != nullptr) bucket.pop(this, hands_over ? Outcome::granted : Outcome::woken);
  bucket.unlock();
  note_release(self, id_of_word(word), this);
  if (first != nullptr) wake(*first);
  return true;
}

void LockCell::release_for_dead(std::uint32_t dead) noexcept {
  Bucket& bucket = bucket_of(this);
  bucket.lock();
  std::uint32_t word = word_.load(platform::relaxed);
  Waiter* first = nullptr;
  // A signal by now, if somebody else has released it.
  while (owner_of(word) == word_of(dead)) {
    if (!word_.compare_exchange_weak(word, 0, platform::release, platform::relaxed)) continue;
    first = bucket.pop(this, Outcome::woken);
    break;
  }
  bucket.unlock();
  note_released(dead, this);
  if (first != nullptr) wake(*first);
}

// --- LockWait ------------------------------------------------------------------------------------

bool LockWait::enqueue_or_take(Place place) noexcept {
  Bucket& bucket = bucket_of(&cell_);
  bucket.lock();
  std::uint32_t word = cell_.word_.load(platform::relaxed);
  for (;;) {
    if (LockCell::is_free(word)) {
      std::uint32_t held = word == 0 ? word_of(waiter_.self.id) : LockCell::signal_held;
      if (bucket.first(&cell_) != nullptr) held |= LockCell::waiters_bit;
      if (cell_.word_.compare_exchange_weak(word, held, platform::acquire, platform::relaxed)) {
        bucket.unlock();
        return true;
      }
      continue;
    }
    const std::uint32_t marked = word | LockCell::waiters_bit;
    // relaxed: the bit is read by a release under the guard. Nobody drops a marked word inline, for
    // the compare-exchange of LockCell::release() expects an unmarked one.
    if (marked == word ||
        cell_.word_.compare_exchange_weak(word, marked, platform::relaxed, platform::relaxed)) {
      break;
    }
  }
  if (place == Place::head) {
    bucket.push_front(waiter_, &cell_);
  } else {
    bucket.push_back(waiter_, &cell_);
  }
  bucket.unlock();
  return false;
}

bool LockWait::take_as_heir() noexcept {
  std::uint32_t word = cell_.word_.load(platform::relaxed);
  if (!LockCell::is_free(word)) return false;
  std::uint32_t held = word == 0 ? word_of(waiter_.self.id) : LockCell::signal_held;
  if (waiter_.leaves_others) held |= LockCell::waiters_bit;
  return cell_.word_.compare_exchange_strong(word, held, platform::acquire, platform::relaxed);
}

bool LockWait::after_wake() noexcept {
  if (waiter_.outcome == Outcome::granted) return true;
  if (runtime::spin<runtime::Looks::ever_rarer>(&cell_, platform::never,
                                                [this] { return take_as_heir(); }))
    return true;
  // A waiter that comes from a condition's queue has been notified just now.
  if (waiter_.since == platform::never) waiter_.since = platform::now();
  runtime::prepare_to_wait(waiter_.self);
  return enqueue_or_take(Place::head);
}

bool LockWait::wait(std::int64_t deadline) {
  bool is_taken = enqueue_or_take(Place::tail);
  const bool has_waited = !is_taken;
  while (!is_taken) {
    // A waiter may leave without more ado: WAITERS stays set, and at worst one release finds
    // nobody.
    const runtime::Ended ended =
        wait_in_queue(waiter_, &cell_, deadline, [](Bucket&, runtime::Ended) {});
    if (ended == runtime::Ended::timed_out) break;
    if (ended != runtime::Ended::woken) runtime::stop_or_throw(waiter_.self, ended);
    is_taken = after_wake();
  }
  if (has_waited) {
    note_wait(waiter_.self, waiter_.reason.kind.load(platform::relaxed), &cell_, waiter_.since,
              is_taken && waiter_.outcome == Outcome::granted);
  }
  if (is_taken) note();
  return is_taken;
}

void LockWait::wait_unconditionally() noexcept {
  waiter_.since = platform::now();
  runtime::prepare_to_wait(waiter_.self);
  if (!enqueue_or_take(Place::tail)) {
    runtime::wait_for_wake(waiter_.self, waiter_.reason, platform::never,
                           runtime::Interrupts::deferred);
    resume_unconditionally();
  } else {
    note_again();
  }
}

void LockWait::resume_unconditionally() noexcept {
  while (!after_wake()) {
    runtime::wait_for_wake(waiter_.self, waiter_.reason, platform::never,
                           runtime::Interrupts::deferred);
  }
  note_again();
}

void LockWait::note() const noexcept {
  if (cell_.owner() == 0) return;
  note_taken(waiter_.self, waiter_.reason.kind.load(platform::relaxed), &cell_);
}

void LockWait::note_again() const noexcept {
  if (cell_.owner() == 0) return;
  note_order(waiter_.self, waiter_.reason.kind.load(platform::relaxed), &cell_);
  note();
}

bool move_to_lock_queue(Waiter& waiter, Bucket& from, LockCell& cell, WaitKind kind,
                        Bucket& to) noexcept {
  if (!LockWait::mark_waiters(cell)) return false;
  runtime::amend_record(*waiter.self.slot, waiter.reason, kind, &cell);
  from.remove(waiter);
  to.push_back(waiter, &cell);
  return true;
}

bool LockWait::mark_waiters(LockCell& cell) noexcept {
  std::uint32_t word = cell.word_.load(platform::relaxed);
  while (!LockCell::is_free(word)) {
    if (cell.word_.compare_exchange_weak(word, word | LockCell::waiters_bit, platform::relaxed,
                                         platform::relaxed)) {
      return true;
    }
  }
  return false;
}

}  // namespace tutti::inline TUTTI_ABI::sync
