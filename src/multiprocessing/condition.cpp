// The waiters are in a waiting room, changed by who holds the condition's lock. A notification
// marks a waiter as chosen; the first of the chosen is called, and calls the next when it has the
// lock. So they come in order, and don't all run for the lock at once.
//
// A chosen waiter that dies before it has the lock has not made use of the notification:
// pass_on() gives it to the next one that waits, and sees to it that somebody is called. Whoever
// holds the lock does so when it notifies or goes on; and those who sleep look, now and then,
// whether there is a need.
#include "tutti/multiprocessing/condition.h"

#include <limits>
#include <optional>
#include <utility>

#include "multiprocessing/owned_lock.h"
#include "multiprocessing/waiting_room.h"
#include "runtime/shared_waiting.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using Sign = WaitingRoom::Sign;
using Ticket = WaitingRoom::Ticket;

bool must_pass_on(const WaitingRoom& room) noexcept {
  const std::optional<Ticket> first = room.first_chosen();
  return first && (room.sign(*first) == Sign::chosen || room.is_dead(*first));
}

// The successor of a dead one is chosen first: should the caller be killed in between, one too many
// is, rather than one too few.
void pass_on(WaitingRoom& room) noexcept {
  while (const std::optional<Ticket> first = room.first_chosen()) {
    if (!room.is_dead(*first)) {
      if (room.sign(*first) == Sign::chosen) room.call(*first);
      return;
    }
    if (const std::optional<Ticket> next = room.first_waiting()) room.mark(*next, Sign::chosen);
    room.leave(*first);
  }
}

}  // namespace

Condition::Condition() : Condition(RLock()) {}
Condition::Condition(Lock lock)
    : SharedObject(sizeof(WaitingRoom), "tutti-condition"), lock_(std::move(lock)) {}
Condition::Condition(RLock lock)
    : SharedObject(sizeof(WaitingRoom), "tutti-condition"), lock_(std::move(lock)) {}
Condition::Condition(std::string name) : Condition(RLock(name), name) {}
Condition::Condition(Lock lock, std::string name) : Condition(std::move(lock)) {
  set_name(std::move(name));
}
Condition::Condition(RLock lock, std::string name) : Condition(std::move(lock)) {
  set_name(std::move(name));
}

LockRef Condition::ref() const noexcept {
  return std::visit([](const auto& lock) { return lock.ref(); }, lock_);
}

void Condition::lock() {
  std::visit([](auto& lock) { lock.lock(); }, lock_);
}

bool Condition::is_held_by_caller() const noexcept {
  const SharedLockCell& cell = ref().state->cell;
  return cell.is_mine() || (std::holds_alternative<Lock>(lock_) && cell.is_held_signal());
}

bool Condition::wait(Timeout timeout) {
  return wait_until(timeout.deadline());
}

bool Condition::wait_until(std::int64_t deadline) {
  using runtime::Ended;
  if (!is_held_by_caller()) {
    threading::throw_misuse("wait on", runtime::WaitKind::condition, this,
                            "its lock is not acquired");
  }
  runtime::Self& self = runtime::self();
  runtime::check_interrupt(self);
  auto& room = state<WaitingRoom>();
  const std::optional<Ticket> ticket = room.join(self.id);
  if (!ticket) {
    threading::throw_misuse("wait on", runtime::WaitKind::condition, this,
                            "4096 threads wait for it already");
  }
  const LockRef lock = ref();
  const std::uint32_t levels = lock.release_in_full();

  const runtime::Reason reason(runtime::WaitKind::condition, this, platform::Reach::machine);
  Ended ended = Ended::woken;
  bool is_whole = true;
  {
    runtime::SharedWait wait(self, reason, deadline);
    WaitingRoom::Entry& entry = room.entry(*ticket);
    while (ended == Ended::woken && is_whole) {
      // acquire: pairs with the release of whoever has marked it.
      const std::uint32_t seen = entry.load(platform::acquire);
      if (WaitingRoom::sign_of(seen) == Sign::called) break;
      ended = wait.sleep_on(entry, seen);
      if (ended != Ended::woken || entry.load(platform::relaxed) != seen) continue;
      if (!lock.is_broken() && !must_pass_on(room)) continue;
      is_whole = lock.reacquire(0);
      pass_on(room);
      // Somebody may have recovered it meanwhile.
      if (is_whole) lock.release_in_full();
    }
  }
  is_whole = lock.reacquire(levels);
  const bool is_notified = room.sign(*ticket) != Sign::waiting;
  room.leave(*ticket);
  pass_on(room);
  if (runtime::must_stop(self)) {
    lock.release_in_full();
    runtime::stop_for_good(self);
  }
  if (!is_whole) lock.throw_broken();
  if (!is_notified) runtime::throw_if_broken_off(self, ended);
  self.failure = nullptr;
  return is_notified;
}

void Condition::notify(int n) {
  if (n < 0) threading::throw_bad_value("cannot notify " + std::to_string(n) + " threads");
  notify_up_to(static_cast<std::size_t>(n));
}

void Condition::notify_all() {
  notify_up_to(std::numeric_limits<std::size_t>::max());
}

void Condition::notify_up_to(std::size_t n) {
  if (!is_held_by_caller()) {
    threading::throw_misuse("notify", runtime::WaitKind::condition, this,
                            "its lock is not acquired");
  }
  auto& room = state<WaitingRoom>();
  for (; n > 0; --n) {
    const std::optional<Ticket> first = room.first_waiting();
    if (!first) break;
    room.mark(*first, Sign::chosen);
  }
  pass_on(room);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
