// The word:
//
//      31                                  1       0
//     ┌─────────────────────────────────────┬─────────┐
//     │ count of free places                │ WAITERS │
//     └─────────────────────────────────────┴─────────┘
//
// While nobody waits, places are taken and given by a compare-exchange of the word. WAITERS says
// that somebody may: then the count is 0, and a place that is given goes to the first in the room,
// under the lock, by calling it; that is the moment at which it is taken. One who dies after being
// called, and before it has left the room, has not gone on: serve() gives its place to the next.
//
// Every step is one store, so whoever is killed with the lock held leaves a state with which its
// heir can go on. A process that is killed between taking a place from a dead one and giving it to
// the next takes it along.
#include "tutti/multiprocessing/semaphore.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "multiprocessing/guarded.h"
#include "multiprocessing/waiting_room.h"
#include "runtime/describe.h"
#include "runtime/shared_waiting.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

using Sign = WaitingRoom::Sign;
using Ticket = WaitingRoom::Ticket;

struct Semaphore::State {
  static constexpr std::uint32_t waiters_bit = 1;
  static constexpr std::uint32_t one = 2;

  platform::atomic<std::uint32_t> word;
  SharedLockCell lock;
  platform::atomic<std::uint32_t> limit;
  WaitingRoom room;

  bool take() noexcept {
    std::uint32_t seen = word.load(platform::relaxed);
    while ((seen & waiters_bit) == 0 && seen >= one) {
      // acquire: pairs with the release of who has given the place.
      if (word.compare_exchange_weak(seen, seen - one, platform::acquire, platform::relaxed)) {
        return true;
      }
    }
    return false;
  }

  bool fits(std::uint32_t seen, std::uint32_t n) const noexcept {
    return n <= limit.load(platform::relaxed) && seen / one <= limit.load(platform::relaxed) - n;
  }

  bool give(std::uint32_t n, const void* handle) {
    std::uint32_t seen = word.load(platform::relaxed);
    while ((seen & waiters_bit) == 0) {
      if (!fits(seen, n)) return false;
      if (word.compare_exchange_weak(seen, seen + n * one, platform::release, platform::relaxed)) {
        return true;
      }
    }
    const Guarded held(lock, {runtime::WaitKind::semaphore, handle});
    if (!fits(word.load(platform::relaxed), n)) return false;
    hand_out(n);
    return true;
  }

  // With the lock held, as the following.
  void hand_out(std::uint32_t n) noexcept {
    for (; n > 0; --n) {
      const std::optional<Ticket> first = room.first_waiting();
      if (!first) break;
      room.call(*first);
    }
    if (n == 0 && room.first_waiting()) return;
    std::uint32_t seen = word.load(platform::relaxed);
    while (!word.compare_exchange_weak(seen, (seen & ~waiters_bit) + n * one, platform::release,
                                       platform::relaxed)) {
    }
  }

  /// Gives the places of those who died before they could go on to others.
  void serve() noexcept {
    room.for_each([&](Ticket ticket) {
      if (room.sign(ticket) != Sign::called || !room.is_dead(ticket)) return;
      room.leave(ticket);
      hand_out(1);
    });
  }

  /// Has the caller in the room, unless there is a place for it: then that is taken. Nothing of
  /// both if the room is full.
  enum class Joined { in_room, taken, full };
  std::pair<Joined, Ticket> join(runtime::ThreadId me) noexcept {
    serve();
    const bool is_first = !room.first_waiting();
    std::uint32_t seen = word.load(platform::relaxed);
    for (;;) {
      if (seen >= one && is_first) {
        // The bit, if it is still there, is that of waiters who are no more.
        if (word.compare_exchange_weak(seen, (seen - one) & ~waiters_bit, platform::acquire,
                                       platform::relaxed)) {
          return {Joined::taken, 0};
        }
      } else if ((seen & waiters_bit) != 0 ||
                 word.compare_exchange_weak(seen, seen | waiters_bit, platform::relaxed,
                                            platform::relaxed)) {
        break;
      }
    }
    const std::optional<Ticket> ticket = room.join(me);
    return {ticket ? Joined::in_room : Joined::full, ticket.value_or(0)};
  }

  /// True if it was called after all.
  bool give_up(Ticket ticket) noexcept {
    const bool is_called = room.sign(ticket) == Sign::called;
    room.leave(ticket);
    if (!is_called) hand_out(0);
    return is_called;
  }
};

Semaphore::Semaphore(int value) : Semaphore(value, std::numeric_limits<int>::max()) {}

Semaphore::Semaphore(int value, std::string name) : Semaphore(value) {
  set_name(std::move(name));
}

Semaphore::Semaphore(int value, int limit) : SharedObject(sizeof(State), "tutti-semaphore") {
  if (value < 0) {
    threading::throw_bad_value("a semaphore's initial value must be >= 0, not " +
                               std::to_string(value));
  }
  auto& all = state<State>();
  all.word.store(static_cast<std::uint32_t>(value) * State::one, platform::relaxed);
  all.limit.store(static_cast<std::uint32_t>(limit), platform::relaxed);
}

void Semaphore::acquire() {
  acquire_until(platform::never);
}

bool Semaphore::acquire_checked(bool blocking, Timeout timeout) {
  if (!blocking && !timeout.is_forever()) {
    threading::throw_bad_value("can't specify a timeout for a non-blocking acquire");
  }
  return acquire_until(blocking ? timeout.deadline() : 0);
}

bool Semaphore::acquire_until(std::int64_t deadline) {
  runtime::self();  // A daemon stops here when the program is ending.
  return state<State>().take() || acquire_slow(deadline);
}

bool Semaphore::acquire_slow(std::int64_t deadline) {
  using runtime::Ended;
  runtime::Self& self = runtime::self();
  auto& all = state<State>();
  const bool is_poll = deadline <= platform::now();
  if (is_poll && !all.room.has_dead(Sign::called)) return false;
  runtime::check_interrupt(self);
  const Shown shown{runtime::WaitKind::semaphore, this};
  Ticket ticket = 0;
  {
    const Guarded held(all.lock, shown);
    const auto [joined, at] = all.join(self.id);
    if (joined == State::Joined::taken) return true;
    if (joined == State::Joined::full) {
      threading::throw_misuse("acquire", shown.kind, this, "4096 threads wait for it already");
    }
    ticket = at;
  }
  Ended ended = Ended::woken;
  {
    const runtime::Reason reason(shown.kind, this, platform::Reach::machine);
    runtime::SharedWait wait(self, reason, deadline);
    WaitingRoom::Entry& entry = all.room.entry(ticket);
    while (ended == Ended::woken) {
      // acquire: pairs with the release of whoever has called it.
      const std::uint32_t seen = entry.load(platform::acquire);
      if (WaitingRoom::sign_of(seen) == Sign::called) break;
      ended = wait.sleep_on(entry, seen);
      if (ended != Ended::woken || entry.load(platform::relaxed) != seen) continue;
      if (all.room.has_dead(Sign::called)) {
        const Guarded held(all.lock, shown);
        all.serve();
      }
    }
  }
  bool acquired = true;
  if (ended == Ended::woken) {
    all.room.leave(ticket);
  } else {
    const Guarded held(all.lock, shown);
    acquired = all.give_up(ticket);
  }
  if (runtime::must_stop(self)) {
    if (acquired) all.give(1, this);
    runtime::stop_for_good(self);
  }
  if (!acquired) runtime::throw_if_broken_off(self, ended);
  self.failure = nullptr;
  return acquired;
}

void Semaphore::release(int n) {
  if (n < 1 || !state<State>().give(static_cast<std::uint32_t>(n), this)) throw_bad_release(n);
}

int Semaphore::value() const noexcept {
  return static_cast<int>(state<State>().word.load(platform::relaxed) / State::one);
}

void Semaphore::throw_bad_release(int n) const {
  const std::string name = runtime::describe(runtime::WaitKind::semaphore, this);
  if (n < 1) {
    threading::throw_bad_value("cannot release " + name + " " + std::to_string(n) +
                               " times: n must be one or more");
  }
  const std::uint32_t limit = state<State>().limit.load(platform::relaxed);
  if (limit == static_cast<std::uint32_t>(std::numeric_limits<int>::max())) {
    threading::throw_bad_value("cannot release " + name + ": its count would pass 2147483647");
  }
  threading::throw_bad_value("cannot release " + name + " by " + std::to_string(n) +
                             ": released too many times, its count would be " +
                             std::to_string(static_cast<long>(value()) + n) +
                             ", above its initial value " + std::to_string(limit));
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
