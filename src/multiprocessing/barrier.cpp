// A barrier's state, under its lock:
//
//     filling ──────────────────────→ passing ──→ filling
//        │ ╲ the last comes           ↗ is empty
//        │  ╲→ acting ── action ends ╱
//        ↓        ↓ action throws, actor dies
//     breaking / emptying (reset) ──→ broken / filling
//
// The state in the middle says how the round ends, before the first waiter is told; so an heir to
// the lock of a killed process can end it in the same way. Each of the round is told by its entry
// in the room: called to pass, chosen to be sent away. One who came while the action ran belongs to
// the next round, and just looks again when it is told anything.
#include "tutti/multiprocessing/barrier.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "multiprocessing/guarded.h"
#include "multiprocessing/waiting_room.h"
#include "runtime/describe.h"
#include "runtime/life.h"
#include "runtime/shared_waiting.h"
#include "threading/errors.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

using Sign = WaitingRoom::Sign;
using Ticket = WaitingRoom::Ticket;

namespace {

constexpr Shown shown_for(const void* handle) {
  return {runtime::WaitKind::barrier, handle};
}

}  // namespace

struct Barrier::State {
  enum class Phase : std::uint32_t { filling, acting, passing, breaking, emptying, broken };

  SharedLockCell lock;
  platform::atomic<std::int32_t> parties;
  platform::atomic<std::int32_t> count;
  platform::atomic<Phase> phase;
  /// Rounds that have ended.
  platform::atomic<std::uint32_t> round;
  /// Who runs the action.
  platform::atomic<runtime::ThreadId> actor;
  /// Of the one whose death has broken it; 0 if it broke in another way.
  platform::atomic<std::uint32_t> dead_process;
  runtime::SharedText dead_thread;
  WaitingRoom room;

  Phase now() const noexcept { return phase.load(platform::relaxed); }

  /// What comes of one that comes.
  struct Arrival {
    enum class Fate { waits, acts, passes, early, refused, no_room };
    Fate fate;
    int rank = 0;
    Ticket ticket = 0;
    std::uint32_t round = 0;
  };

  // All of the following with the lock held.

  Arrival arrive(runtime::ThreadId me, bool has_action) noexcept {
    using Fate = Arrival::Fate;
    repair();
    if (now() == Phase::broken) return {Fate::refused};
    const bool is_early = now() == Phase::acting;
    const int rank = count.load(platform::relaxed);
    if (!is_early && rank + 1 >= parties.load(platform::relaxed)) {
      if (!has_action) {
        end_round(Phase::passing);
        return {Fate::passes, rank};
      }
      actor.store(me, platform::relaxed);
      count.store(rank + 1, platform::relaxed);
      // release: pairs with the acquire in needs_repair().
      phase.store(Phase::acting, platform::release);
      return {Fate::acts, rank, 0, round.load(platform::relaxed)};
    }
    const std::optional<Ticket> ticket = room.join(me);
    if (!ticket) return {Fate::no_room};
    if (is_early) return {Fate::early, 0, *ticket};
    count.store(rank + 1, platform::relaxed);
    return {Fate::waits, rank, *ticket};
  }

  /// By one who does not want to wait any longer: `left` if it is out; what it was told, if it was;
  /// `waiting` if it has to wait for the end of the action, since it is late for nothing any more.
  Sign give_up(Ticket ticket, bool breaks) noexcept {
    const Sign sign = room.sign(ticket);
    if (sign != Sign::waiting || now() == Phase::acting) return sign;
    room.leave(ticket);
    if (breaks) {
      end_round(Phase::breaking);
    } else {
      count.fetch_sub(1, platform::relaxed);
    }
    return Sign::left;
  }

  void end_round(Phase how) noexcept {
    if (how != Phase::breaking) dead_process.store(0, platform::relaxed);
    phase.store(how, platform::relaxed);
    finish_round();
  }

  void break_for(runtime::ThreadId dead) noexcept {
    const auto known = runtime::identity_of(dead);
    dead_thread.set(known ? known->name.data() : "?");
    dead_process.store(known ? known->process : 0, platform::relaxed);
    end_round(Phase::breaking);
  }

  /// Ends a round that a killed process was ending, and breaks one of which a party has died.
  void repair() noexcept {
    if (now() == Phase::passing || now() == Phase::breaking || now() == Phase::emptying) {
      finish_round();
    }
    runtime::ThreadId dead = 0;
    if (now() == Phase::acting && runtime::is_dead(actor.load(platform::relaxed))) {
      dead = actor.load(platform::relaxed);
    }
    room.for_each([&](Ticket ticket) {
      if (!room.is_dead(ticket)) return;
      if (room.sign(ticket) == Sign::waiting && now() == Phase::filling) {
        dead = WaitingRoom::thread_of(room.entry(ticket).load(platform::relaxed));
      }
      room.leave(ticket);
    });
    if (dead != 0) break_for(dead);
  }

  // Without the lock.
  bool needs_repair() const noexcept {
    // acquire: pairs with the release in arrive().
    return room.has_dead(Sign::waiting) || (phase.load(platform::acquire) == Phase::acting &&
                                            runtime::is_dead(actor.load(platform::relaxed)));
  }

  /// Waits until the entry says something, or until the wait ends in another way.
  runtime::Ended sleep(runtime::Self& self, const void* handle, Ticket ticket,
                       std::int64_t deadline, runtime::Interrupts interrupts) {
    using runtime::Ended;
    const runtime::Reason reason(runtime::WaitKind::barrier, handle, platform::Reach::machine);
    runtime::SharedWait wait(self, reason, deadline, interrupts);
    WaitingRoom::Entry& entry = room.entry(ticket);
    for (;;) {
      // acquire: pairs with the release of whoever has marked it.
      const std::uint32_t seen = entry.load(platform::acquire);
      if (WaitingRoom::sign_of(seen) != Sign::waiting) return Ended::woken;
      if (const Ended ended = wait.sleep_on(entry, seen); ended != Ended::woken) return ended;
      if (!needs_repair()) continue;
      const Guarded held(lock, shown_for(handle));
      repair();
    }
  }

 private:
  void finish_round() noexcept {
    const Phase how = now();
    while (const std::optional<Ticket> first = room.first_waiting()) {
      room.mark(*first, how == Phase::passing ? Sign::called : Sign::chosen);
      room.wake(*first);
    }
    count.store(0, platform::relaxed);
    round.fetch_add(1, platform::relaxed);
    phase.store(how == Phase::breaking ? Phase::broken : Phase::filling, platform::relaxed);
  }
};

Barrier::Barrier(int parties, std::function<void()> action, Timeout timeout)
    : SharedObject(sizeof(State), "tutti-barrier"),
      timeout_(timeout.is_forever() ? platform::never : timeout.nanoseconds()),
      action_(std::move(action)) {
  if (parties < 1) {
    threading::throw_bad_value("a barrier's parties must be >= 1, not " + std::to_string(parties));
  }
  state<State>().parties.store(parties, platform::relaxed);
}

int Barrier::wait() {
  return wait(timeout_ == platform::never ? forever : Timeout(std::chrono::nanoseconds(timeout_)));
}

int Barrier::wait(Timeout timeout) {
  return wait_until(timeout.deadline());
}

int Barrier::wait_until(std::int64_t deadline) {
  using runtime::Ended;
  using runtime::Interrupts;
  using Fate = State::Arrival::Fate;
  runtime::Self& self = runtime::self();
  runtime::check_interrupt(self);
  auto& all = state<State>();
  const auto arrive = [&] {
    const Guarded held(all.lock, shown_for(this));
    return all.arrive(self.id, bool(action_));
  };
  State::Arrival arrival = arrive();
  while (arrival.fate == Fate::early) {
    all.sleep(self, this, arrival.ticket, platform::never, Interrupts::deferred);
    all.room.leave(arrival.ticket);
    arrival = arrive();
  }
  if (arrival.fate == Fate::refused) throw_broken();
  if (arrival.fate == Fate::no_room) {
    threading::throw_misuse("wait at", runtime::WaitKind::barrier, this,
                            "4096 threads wait for it already");
  }
  if (arrival.fate == Fate::acts) act(arrival.round);
  if (arrival.fate != Fate::waits) return arrival.rank;

  const Ended ended = all.sleep(self, this, arrival.ticket, deadline, Interrupts::heeded);
  Sign told = all.room.sign(arrival.ticket);
  if (ended != Ended::woken) {
    {
      const Guarded held(all.lock, shown_for(this));
      told = all.give_up(arrival.ticket, ended == Ended::timed_out);
    }
    if (told == Sign::waiting) {
      all.sleep(self, this, arrival.ticket, platform::never, Interrupts::deferred);
      told = all.room.sign(arrival.ticket);
    }
  }
  if (told != Sign::left) all.room.leave(arrival.ticket);
  if (runtime::must_stop(self)) runtime::stop_for_good(self);
  if (told == Sign::left) runtime::throw_if_broken_off(self, ended);
  self.failure = nullptr;
  if (told != Sign::called) throw_broken();
  return arrival.rank;
}

void Barrier::act(std::uint32_t round) {
  auto& all = state<State>();
  const auto end = [&](State::Phase how) {
    const Guarded held(all.lock, shown_for(this));
    // The action may have called abort() or reset(), and so ended its round.
    const bool is_current =
        all.now() == State::Phase::acting && all.round.load(platform::relaxed) == round;
    if (is_current) all.end_round(how);
    return is_current;
  };
  try {
    action_();
  } catch (...) {
    end(State::Phase::breaking);
    throw;
  }
  if (!end(State::Phase::passing)) throw_broken();
}

// The round of an action is full, and not to be broken any more, unless by the action itself.
void Barrier::refuse_all(bool breaks) {
  runtime::Self& self = runtime::self();
  auto& all = state<State>();
  for (;;) {
    Ticket ticket = 0;
    {
      const Guarded held(all.lock, shown_for(this));
      all.repair();
      if (all.now() != State::Phase::acting || all.actor.load(platform::relaxed) == self.id) {
        return all.end_round(breaks ? State::Phase::breaking : State::Phase::emptying);
      }
      const std::optional<Ticket> joined = all.room.join(self.id);
      if (!joined) {
        threading::throw_misuse("reset", runtime::WaitKind::barrier, this,
                                "4096 threads wait for it already");
      }
      ticket = *joined;
    }
    all.sleep(self, this, ticket, platform::never, runtime::Interrupts::deferred);
    all.room.leave(ticket);
  }
}

void Barrier::reset() {
  refuse_all(false);
}

void Barrier::abort() {
  refuse_all(true);
}

int Barrier::parties() const noexcept {
  return state<State>().parties.load(platform::relaxed);
}

int Barrier::n_waiting() const noexcept {
  return state<State>().count.load(platform::relaxed);
}

bool Barrier::broken() const noexcept {
  return state<State>().now() == State::Phase::broken;
}

void Barrier::throw_broken() const {
  const auto& all = state<State>();
  const std::uint32_t process = all.dead_process.load(platform::relaxed);
  const std::string why = process == 0 ? "it was aborted or reset, a wait timed out, or its action "
                                         "threw"
                                       : "thread '" + all.dead_thread.get() + "' of process " +
                                             std::to_string(process) +
                                             " has ended or was killed while it took part";
  throw threading::BrokenBarrierError(runtime::describe(runtime::WaitKind::barrier, this) +
                                      " is broken" + runtime::in_calling_thread() + ": " + why +
                                      "; reset() makes it usable again");
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
