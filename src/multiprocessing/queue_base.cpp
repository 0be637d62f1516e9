#include "tutti/multiprocessing/queue_base.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "multiprocessing/queue_core.h"
#include "runtime/describe.h"
#include "runtime/load.h"
#include "runtime/names.h"
#include "runtime/patience.h"
#include "runtime/registry.h"
#include "runtime/shared_waiting.h"
#include "runtime/spin.h"
#include "tutti/errors.h"
#include "tutti/runtime/remembered.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using runtime::Ended;
using runtime::Self;
using runtime::WaitKind;

bool is_over(std::int64_t deadline, std::int64_t margin = 0) noexcept {
  return deadline != platform::never && (deadline == 0 || deadline - margin <= platform::now());
}

// How long those who don't want to wait for an item wait for whoever is busy with one: copying the
// largest takes less, so the owner has been stopped.
constexpr std::int64_t patience = 1'000'000'000;

// Holds the lock of one side of a ring.
class Side {
 public:
  Side(SharedLockCell& lock, std::int64_t deadline, Shown shown)
      : lock_(lock), taken_(take(deadline, shown)) {}
  // What was stored under the lock is there for all once it is free: Sleepers and those who ask for
  // the size of several queues rely on it.
  ~Side() {
    if (!is_held()) return;
    lock_.release();
    platform::fence_after_exchange();
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  bool is_held() const noexcept { return taken_ != Taken::timed_out; }
  bool is_inherited() const noexcept { return taken_ == Taken::from_the_dead; }

 private:
  Taken take(std::int64_t deadline, Shown shown) {
    if (deadline != 0) return lock_.acquire(deadline, shown);
    return lock_.try_acquire() ? Taken::yes : lock_.acquire(platform::now() + patience, shown);
  }

  SharedLockCell& lock_;
  const Taken taken_;
};

// Wakes one thread of the other side if something was put, or taken. It outlives the Side.
class WakesOne {
 public:
  explicit WakesOne(Sleepers& sleepers) noexcept : sleepers_(sleepers) {}
  ~WakesOne() {
    if (is_due) sleepers_.wake_one();
  }
  WakesOne(const WakesOne&) = delete;
  WakesOne& operator=(const WakesOne&) = delete;

  bool is_due = false;

 private:
  Sleepers& sleepers_;
};

// Who has less time takes what is there: once it comes back it could find another one busy, and its
// time over.
constexpr std::int64_t least_time_for_patience = 1'000'000;

// Only where a thread may spin: elsewhere it would announce itself as asleep, for what is there
// already, and have others wake it for nothing.
bool is_patient(const RingHeader::Side& side) noexcept {
  return runtime::pauses_of(side.patience) != 0 && platform::can_spin && runtime::is_core_free();
}

}  // namespace

// --- a queue in this process ---------------------------------------------------------------------

QueueBase::Core::Core(const char* its_kind, Ring its_ring) noexcept
    : kind(its_kind),
      counts_tasks(std::string_view(its_kind) == "JoinableQueue"),
      ring(std::move(its_ring)) {}

QueueBase::Core::~Core() {
  runtime::forget(&ring.header());
}

void QueueBase::Core::throw_too_large(std::size_t size) const {
  throw ValueError("an item of " + std::to_string(size) + " bytes is too large for " + described() +
                   ", which takes up to " + std::to_string(ring.largest_item()) +
                   runtime::in_calling_thread());
}

// --- what is waited for --------------------------------------------------------------------------

/// What the threads of one side wait for.
class QueueBase::Core::SideGoal {
 public:
  RingHeader::Side& side() const noexcept { return side_; }
  Sleepers& sleepers() const noexcept { return sleepers_; }
  /// Under the side's lock, when it was not there.
  void remember() noexcept { seen_ = side_.seen.load(platform::relaxed); }

 protected:
  SideGoal(Core& core, RingHeader::Side& side, Sleepers& sleepers) noexcept
      : core_(core), side_(side), sleepers_(sleepers) {}

  Core& core_;
  std::uint64_t seen_ = 0;

 private:
  RingHeader::Side& side_;
  Sleepers& sleepers_;
};

/// Room for an item, on the putters' side.
class QueueBase::Core::Room : public SideGoal {
 public:
  static constexpr WaitKind kind = WaitKind::queue_full;

  explicit Room(Core& core) noexcept
      : SideGoal(core, core.ring.header().putters, core.ring.header().sleeping_putters) {}

  /// Whether it is time to look again.
  bool may_be_there() const noexcept {
    return core_.ring.head().word() != seen_ || core_.ring.tail().is_shut();
  }
  bool is_there() const noexcept { return core_.has_room(); }
};

/// Items, on the getters' side.
class QueueBase::Core::Items : public SideGoal {
 public:
  static constexpr WaitKind kind = WaitKind::queue_empty;

  explicit Items(Core& core) noexcept
      : SideGoal(core, core.ring.header().getters, core.ring.header().sleeping_getters) {}

  /// Whether it is time to look again. Also when it has seen that the queue is shut down, as a
  /// patient one may have without telling.
  bool may_be_there() const noexcept {
    const Place tail = core_.ring.tail();
    return tail.word() != seen_ || tail.is_shut();
  }
  bool is_there() const noexcept { return core_.ring.size() != 0; }
};

/// That all tasks are done. It comes at once or not: nothing is learnt of it.
class QueueBase::Core::TasksDone {
 public:
  static constexpr WaitKind kind = WaitKind::queue_join;

  explicit TasksDone(Core& core) noexcept : core_(core) {}

  Sleepers& sleepers() const noexcept { return core_.ring.header().sleeping_joiners; }
  bool may_be_there() const noexcept { return is_there(); }
  bool is_there() const noexcept { return core_.tasks_are_done(); }

 private:
  Core& core_;
};

// --- one look ------------------------------------------------------------------------------------

template <typename Next>
QueueBase::Core::Tried QueueBase::Core::try_put(Room& room, std::size_t count, Next next, Look look,
                                                Deadline deadline, std::size_t& put) {
  RingHeader& header = ring.header();
  // For one getter, after one of several puts, too: the next is that one's affair.
  WakesOne wake(header.sleeping_getters);
  const Side side(header.putters.lock, deadline, {WaitKind::queue_full, &header});
  if (!side.is_held()) return Tried::busy;
  if (side.is_inherited()) ring.refresh_seen_head();
  if (ring.tail().is_shut()) return Tried::shut_down;
  if (counts_tasks && unfinished_tasks() >= Ring::most_items - count) {
    throw RuntimeError(described() + ": too many of its tasks are not done" +
                       runtime::in_calling_thread());
  }
  const bool was_full = ring.known_room() == 0;
  if (was_full && look == Look::patient && is_patient(header.putters)) {
    room.remember();
    return Tried::in_vain;
  }
  try {
    for (; put < count; ++put) {
      const Packing& packing = next(put);
      if (packing.size > ring.largest_item()) throw_too_large(packing.size);
      const auto place = ring.room_for(packing.size);
      if (!place) break;
      if (put == 0 && was_full && look == Look::again) {
        runtime::learn_patience(header.putters.patience, ring.known_room(), ring.limit());
      }
      packing.pack(packing.item, place->item);
      ring.commit(*place);
      wake.is_due = true;
    }
  } catch (...) {
    // Those before it are in; the caller comes back for this one.
    if (put == 0) throw;
  }
  if (put != 0) return Tried::done;
  room.remember();
  return Tried::in_vain;
}

QueueBase::Core::Tried QueueBase::Core::try_get(Items& items, const Unpacking& unpacking,
                                                std::size_t most, Look look, Deadline deadline) {
  RingHeader& header = ring.header();
  WakesOne wake(header.sleeping_putters);
  const Side side(header.getters.lock, deadline, {WaitKind::queue_empty, &header});
  if (!side.is_held()) return Tried::busy;
  if (side.is_inherited()) ring.refresh_seen_tail();
  const bool was_empty = ring.known_items() == 0;
  if (was_empty && look == Look::patient && is_patient(header.getters)) {
    items.remember();
    return Tried::in_vain;
  }
  auto item = ring.next_item();
  if (!item) {
    items.remember();
    const Place tail(header.getters.seen.load(platform::relaxed));
    return tail.is_shut() ? Tried::shut_down : Tried::in_vain;
  }
  if (was_empty && look == Look::again) {
    runtime::learn_patience(header.getters.patience, ring.known_items(), ring.limit());
  }
  for (std::size_t taken = 0; item; ++taken) {
    try {
      unpacking.unpack(unpacking.place, item->bytes);
    } catch (const ValueError&) {
      if (taken > 0) break;
      ring.commit(*item);
      wake.is_due = true;
      throw;
    } catch (...) {
      // The caller has those before it, and comes back for this one.
      if (taken > 0) break;
      throw;
    }
    ring.commit(*item);
    wake.is_due = true;
    item = taken + 1 < most ? ring.next_item() : std::nullopt;
  }
  return Tried::done;
}

// --- waiting -------------------------------------------------------------------------------------

// Passes a wake on that its thread leaves without having used up: by an exception, or since there
// is more to do than it has done.
template <typename Goal>
class PassesOn {
 public:
  explicit PassesOn(const Goal& goal) noexcept : goal_(goal) {}
  ~PassesOn() {
    if (has_slept && goal_.is_there()) goal_.sleepers().wake_one();
  }
  PassesOn(const PassesOn&) = delete;
  PassesOn& operator=(const PassesOn&) = delete;

  bool has_slept = false;

 private:
  const Goal& goal_;
};

// True when it is time to look again.
template <typename Goal>
bool spin(const Goal& goal, std::int64_t deadline) {
  const auto may_be_there = [&] { return goal.may_be_there(); };
  const void* const object = &goal.sleepers();
  if constexpr (requires { goal.side(); }) {
    return runtime::spin_patiently(goal.side().patience, object, deadline, may_be_there);
  } else {
    return runtime::spin<runtime::Looks::steady>(object, deadline, may_be_there);
  }
}

// `once(look)` has found `tried`. As long as that was in vain, this waits until the goal may be
// there, has it look again, and so on. See Sleepers.
template <typename Goal, typename Once>
[[gnu::noinline]] QueueBase::Result QueueBase::Core::wait(Goal& goal, Look look, Tried tried,
                                                          Deadline deadline, Once once) {
  Self& self = runtime::self();
  Sleepers& sleepers = goal.sleepers();
  const runtime::Reason reason(Goal::kind, &ring.header(), platform::Reach::machine);
  PassesOn wake(goal);
  std::optional<runtime::SharedWait> wait;
  for (;; look = Look::again, tried = once(look)) {
    if (tried == Tried::done) return Result::done;
    if (tried == Tried::shut_down) return Result::shut_down;
    if (tried == Tried::busy) return Result::busy;
    // A patient look may not have looked at all.
    if (look != Look::patient && is_over(deadline)) return Result::not_in_time;
    if (spin(goal, deadline)) continue;
    if (!wait) {
      wait.emplace(self, reason, deadline, runtime::Interrupts::heeded, runtime::Spinning::done);
      wake.has_slept = true;
    }
    Ended ended = Ended::woken;
    std::uint32_t expected = sleepers.announce();
    while (!goal.may_be_there() && ended == Ended::woken && !runtime::must_stop(self)) {
      ended = wait->sleep_on(sleepers.word(), expected);
      expected = sleepers.announce();
    }
    if (runtime::must_stop(self) || ended == Ended::interrupted || ended == Ended::failed) {
      // The wake was for one that goes on. Who stops for good leaves no scope.
      if (runtime::must_stop(self) && goal.is_there()) sleepers.wake_one();
      wait.reset();
      runtime::stop_or_throw(self, ended);
    }
  }
}

template <typename Goal, typename Once>
QueueBase::Result QueueBase::Core::operate(Goal& goal, Deadline deadline, Once once) {
  const Look look = is_over(deadline, least_time_for_patience) ? Look::at_once : Look::patient;
  const Tried tried = once(look);
  return tried == Tried::done ? Result::done : wait(goal, look, tried, deadline, once);
}

bool QueueBase::Core::has_room() const noexcept {
  return ring.size() < ring.limit();
}

// --- put and get ---------------------------------------------------------------------------------

QueueBase::Core& QueueBase::open_core() const {
  Core& core = *core_;
  if (core.is_closed.load(platform::relaxed)) {
    throw ValueError(core.described() + " is closed in this process" +
                     runtime::in_calling_thread());
  }
  return core;
}

QueueBase::Result QueueBase::put_item(const Packing& packing, Deadline deadline) {
  Core& core = open_core();
  Core::Room room(core);
  std::size_t put = 0;
  const auto next = [&](std::size_t) -> const Packing& { return packing; };
  return core.operate(room, deadline, [&](Core::Look look) {
    return core.try_put(room, 1, next, look, deadline, put);
  });
}

std::size_t QueueBase::put_items(void* items, std::size_t count,
                                 Packing (*packing)(void* items, std::size_t index),
                                 Deadline deadline) {
  Core& core = open_core();
  Core::Room room(core);
  std::size_t put = 0;
  const auto next = [&](std::size_t index) { return packing(items, index); };
  const Result result = core.operate(room, deadline, [&](Core::Look look) {
    return core.try_put(room, count, next, look, deadline, put);
  });
  if (result == Result::shut_down) throw_shut_down();
  if (result == Result::not_in_time) throw_full();
  if (result == Result::busy) throw_busy_putting();
  return put;
}

QueueBase::Result QueueBase::get_item(const Unpacking& unpacking, Deadline deadline) {
  return get_items(unpacking, 1, deadline);
}

QueueBase::Result QueueBase::get_items(const Unpacking& unpacking, std::size_t most,
                                       Deadline deadline) {
  Core& core = open_core();
  Core::Items items(core);
  return core.operate(items, deadline, [&](Core::Look look) {
    return core.try_get(items, unpacking, most, look, deadline);
  });
}

// --- tasks and the end ---------------------------------------------------------------------------

// Both words only grow, and `done` never past `tail`. acquire: pairs with finish_task(), so that
// this tail is not older than one that was compared with this `done`.
std::uint32_t QueueBase::Core::unfinished_tasks() const noexcept {
  const std::uint32_t done = ring.header().done.load(platform::seq_cst);
  return (ring.tail().count() - done) & Place::count_mask;
}

bool QueueBase::Core::tasks_are_done() const noexcept {
  return ring.tail().is_dropped() || unfinished_tasks() == 0;
}

void QueueBase::finish_task() {
  Core& core = *core_;
  RingHeader& header = core.ring.header();
  std::uint32_t done = header.done.load(platform::acquire);
  do {
    if (core.ring.tail().is_dropped()) return;
    if (core.ring.tail().count() == (done & Place::count_mask)) {
      throw ValueError("task_done() called more often than items were put into " +
                       core.described() + runtime::in_calling_thread());
    }
    // seq_cst: for Sleepers.
  } while (!header.done.compare_exchange_weak(done, (done + 1) & Place::count_mask,
                                              platform::seq_cst, platform::acquire));
  if (core.tasks_are_done()) header.sleeping_joiners.wake_all();
}

void QueueBase::join_tasks() {
  Core& core = *core_;
  Core::TasksDone all_done(core);
  core.operate(all_done, platform::never, [&](Core::Look) {
    return all_done.is_there() ? Core::Tried::done : Core::Tried::in_vain;
  });
}

void QueueBase::shut_down(bool immediate) {
  Core& core = *core_;
  RingHeader& header = core.ring.header();
  {
    const Side getters(header.getters.lock, platform::never, {WaitKind::queue_empty, &header});
    const Side putters(header.putters.lock, platform::never, {WaitKind::queue_full, &header});
    core.ring.shut(immediate);
  }
  header.sleeping_getters.wake_all();
  header.sleeping_putters.wake_all();
  header.sleeping_joiners.wake_all();
}

bool QueueBase::is_shut_down() const noexcept {
  return core_->ring.tail().is_shut();
}

// --- the handle ----------------------------------------------------------------------------------

QueueBase::QueueBase(const char* kind, std::size_t limit, std::string name)
    : core_(std::make_shared<Core>(kind, Ring::make(static_cast<std::uint32_t>(limit)))) {
  if (!name.empty()) set_name(std::move(name));
}

QueueBase::QueueBase(const char* kind, Segment segment)
    : core_(std::make_shared<Core>(kind, Ring(std::move(segment)))) {
  std::string name = core_->ring.header().name.get();
  if (!name.empty()) runtime::set_name(&core_->ring.header(), std::move(name));
}

QueueBase::~QueueBase() = default;
QueueBase::QueueBase(const QueueBase&) noexcept = default;
QueueBase& QueueBase::operator=(const QueueBase&) noexcept = default;

std::size_t QueueBase::limit_for(int maxsize) {
  return maxsize <= 0 ? Ring::most_items
                      : std::min(static_cast<std::uint32_t>(maxsize), Ring::most_items);
}

const Segment& QueueBase::segment() const noexcept {
  return core_->ring.segment();
}

std::size_t QueueBase::qsize() const noexcept {
  return core_->ring.size();
}

bool QueueBase::full() const noexcept {
  return !core_->has_room();
}

std::size_t QueueBase::maxsize() const noexcept {
  return core_->ring.limit() == Ring::most_items ? 0 : core_->ring.limit();
}

std::string QueueBase::name() const {
  return runtime::name_of(&core_->ring.header());
}

void QueueBase::set_name(std::string name) {
  core_->ring.header().name.set(name);
  runtime::set_name(&core_->ring.header(), std::move(name));
}

void QueueBase::close() noexcept {
  core_->is_closed.store(true, platform::relaxed);
}

void QueueBase::join_thread() const {
  if (!core_->is_closed.load(platform::relaxed)) {
    throw RuntimeError("cannot join the thread of " + core_->described() +
                       ": it is not closed; call close() before" + runtime::in_calling_thread());
  }
}

// --- errors --------------------------------------------------------------------------------------

std::string QueueBase::Core::described() const {
  return runtime::describe_quickly(kind, &ring.header());
}

std::string QueueBase::Core::described_as_busy(const SharedLockCell& lock,
                                               const char* doing) const {
  const auto owner = runtime::identity_of(lock.owner());
  const std::string thread = owner ? "thread '" + std::string(owner->name.data()) +
                                         "' of process " + std::to_string(owner->process)
                                   : "another thread";
  return described() + ": " + thread + " is busy " + doing +
         " an item, and did not finish in time; it may have been stopped" +
         runtime::in_calling_thread();
}

QueueBase::Deadline QueueBase::deadline_of(bool block, Timeout timeout) {
  if (!block) return 0;
  if (timeout.is_negative()) throw ValueError("'timeout' must be a non-negative number");
  return timeout.deadline();
}

void QueueBase::throw_full() const {
  const Core& core = *core_;
  const std::string why =
      core.has_room() ? "its items take all the memory that they may: " +
                            std::to_string(core.ring.segment().size() >> 20) + " MiB"
                      : "it holds its maxsize of " + std::to_string(core.ring.limit()) + " items";
  throw queue::Full(core.described() + " is full: " + why + runtime::in_calling_thread());
}

void QueueBase::throw_empty() const {
  throw queue::Empty(core_->described() + " is empty" + runtime::in_calling_thread());
}

void QueueBase::throw_busy_putting() const {
  throw queue::Full(core_->described_as_busy(core_->ring.header().putters.lock, "putting"));
}

void QueueBase::throw_busy_getting() const {
  throw queue::Empty(core_->described_as_busy(core_->ring.header().getters.lock, "getting"));
}

void QueueBase::throw_shut_down() const {
  throw queue::ShutDown(core_->described() + " was shut down" + runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
