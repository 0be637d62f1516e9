#include "tutti/multiprocessing/queue_base.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "multiprocessing/queue_core.h"
#include "runtime/describe.h"
#include "runtime/names.h"
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

bool is_over(std::int64_t deadline) noexcept {
  return deadline != platform::never && (deadline == 0 || deadline <= platform::now());
}

// How long those who don't want to wait for an item wait for whoever is busy with one: copying the
// largest takes less, so the owner has been stopped.
constexpr std::int64_t patience = 1'000'000'000;

// Holds the lock of one side of a ring.
class Side {
 public:
  Side(SharedLockCell& lock, std::int64_t deadline, Shown shown)
      : lock_(lock), taken_(take(deadline, shown)) {}
  ~Side() {
    if (is_held()) lock_.release();
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

}  // namespace

// --- one look ------------------------------------------------------------------------------------

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

template <typename Next>
QueueBase::Core::Tried QueueBase::Core::try_put(std::size_t count, Next next, Deadline deadline,
                                                std::uint64_t& seen, std::size_t& put) {
  RingHeader& header = ring.header();
  const Side side(header.putters.lock, deadline, {WaitKind::queue_full, &header});
  if (!side.is_held()) return Tried::busy;
  if (side.is_inherited()) ring.refresh_seen_head();
  if (ring.tail().is_shut()) return Tried::shut_down;
  if (counts_tasks && unfinished_tasks() >= Ring::most_items - count) {
    throw RuntimeError(described() + ": too many of its tasks are not done" +
                       runtime::in_calling_thread());
  }
  try {
    for (; put < count; ++put) {
      const Packing& packing = next(put);
      if (packing.size > ring.largest_item()) throw_too_large(packing.size);
      const auto room = ring.room_for(packing.size);
      if (!room) break;
      packing.pack(packing.item, room->item);
      ring.commit(*room);
    }
  } catch (...) {
    // Those before it are in; the caller comes back for this one.
    if (put == 0) throw;
  }
  seen = header.putters.seen.load(platform::relaxed);
  return put == 0 ? Tried::in_vain : Tried::done;
}

QueueBase::Core::Tried QueueBase::Core::try_get(const Unpacking& unpacking, std::size_t most,
                                                Deadline deadline, std::uint64_t& seen) {
  RingHeader& header = ring.header();
  const Side side(header.getters.lock, deadline, {WaitKind::queue_empty, &header});
  if (!side.is_held()) return Tried::busy;
  if (side.is_inherited()) ring.refresh_seen_tail();
  auto item = ring.next_item();
  if (!item) {
    seen = header.getters.seen.load(platform::relaxed);
    return Place(seen).is_shut() ? Tried::shut_down : Tried::in_vain;
  }
  for (std::size_t taken = 0; item; ++taken) {
    try {
      unpacking.unpack(unpacking.place, item->bytes);
    } catch (const ValueError&) {
      if (taken > 0) break;
      ring.commit(*item);
      header.sleeping_putters.wake_one();
      throw;
    } catch (...) {
      // The caller has those before it, and comes back for this one.
      if (taken > 0) break;
      throw;
    }
    ring.commit(*item);
    item = taken + 1 < most ? ring.next_item() : std::nullopt;
  }
  return Tried::done;
}

// --- waiting -------------------------------------------------------------------------------------

// Passes a wake on that its thread leaves without having used up: by an exception, or since there
// is more to do than it has done.
template <typename MoreToDo>
class PassesOn {
 public:
  PassesOn(Sleepers& sleepers, const MoreToDo& more_to_do) noexcept
      : sleepers_(sleepers), more_to_do_(more_to_do) {}
  ~PassesOn() {
    if (has_slept && more_to_do_()) sleepers_.wake_one();
  }
  PassesOn(const PassesOn&) = delete;
  PassesOn& operator=(const PassesOn&) = delete;

  bool has_slept = false;

 private:
  Sleepers& sleepers_;
  const MoreToDo& more_to_do_;
};

// `once` has looked at the ring, and found `tried`. As long as that was in vain, this waits until
// `changed`, has it look again, and so on. See Sleepers.
template <typename Once, typename Changed, typename MoreToDo>
[[gnu::noinline]] QueueBase::Result QueueBase::Core::wait(Tried tried, WaitKind wait_kind,
                                                          Sleepers& sleepers, Deadline deadline,
                                                          Once once, Changed changed,
                                                          MoreToDo more_to_do) {
  Self& self = runtime::self();
  const runtime::Reason reason(wait_kind, &ring.header(), platform::Reach::machine);
  PassesOn wake(sleepers, more_to_do);
  std::optional<runtime::SharedWait> wait;
  for (;; tried = once()) {
    if (tried == Tried::done) return Result::done;
    if (tried == Tried::shut_down) return Result::shut_down;
    if (tried == Tried::busy) return Result::busy;
    if (is_over(deadline)) return Result::not_in_time;
    if (runtime::spin<runtime::Looks::steady>(&sleepers, deadline, changed)) continue;
    if (!wait) {
      wait.emplace(self, reason, deadline, runtime::Interrupts::heeded, runtime::Spinning::done);
      wake.has_slept = true;
    }
    Ended ended = Ended::woken;
    std::uint32_t expected = sleepers.announce();
    while (!changed() && ended == Ended::woken && !runtime::must_stop(self)) {
      ended = wait->sleep_on(sleepers.word(), expected);
      expected = sleepers.announce();
    }
    if (runtime::must_stop(self) || ended == Ended::interrupted || ended == Ended::failed) {
      // The wake was for one that goes on. Who stops for good leaves no scope.
      if (runtime::must_stop(self) && more_to_do()) sleepers.wake_one();
      wait.reset();
      runtime::stop_or_throw(self, ended);
    }
  }
}

template <typename Once>
QueueBase::Result QueueBase::Core::put(Deadline deadline, Once once) {
  RingHeader& header = ring.header();
  std::uint64_t seen = 0;
  // A wake by one of several puts is for one getter; the next is that one's affair.
  const Tried tried = once(seen);
  const Result result =
      tried == Tried::done
          ? Result::done
          : wait(
                tried, WaitKind::queue_full, header.sleeping_putters, deadline,
                [&] { return once(seen); },
                [&] { return ring.head().word() != seen || ring.tail().is_shut(); },
                [&] { return has_room(); });
  if (result == Result::done) header.sleeping_getters.wake_one();
  return result;
}

template <typename Once>
QueueBase::Result QueueBase::Core::get(Deadline deadline, Once once) {
  RingHeader& header = ring.header();
  std::uint64_t seen = 0;
  const Tried tried = once(seen);
  const Result result =
      tried == Tried::done
          ? Result::done
          : wait(
                tried, WaitKind::queue_empty, header.sleeping_getters, deadline,
                [&] { return once(seen); }, [&] { return ring.tail().word() != seen; },
                [&] { return ring.size() != 0; });
  if (result == Result::done) header.sleeping_putters.wake_one();
  return result;
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
  std::size_t put = 0;
  const auto next = [&](std::size_t) -> const Packing& { return packing; };
  return core.put(deadline,
                  [&](std::uint64_t& seen) { return core.try_put(1, next, deadline, seen, put); });
}

std::size_t QueueBase::put_items(void* items, std::size_t count,
                                 Packing (*packing)(void* items, std::size_t index),
                                 Deadline deadline) {
  Core& core = open_core();
  std::size_t put = 0;
  const auto next = [&](std::size_t index) { return packing(items, index); };
  const Result result = core.put(deadline, [&](std::uint64_t& seen) {
    return core.try_put(count, next, deadline, seen, put);
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
  return core.get(
      deadline, [&](std::uint64_t& seen) { return core.try_get(unpacking, most, deadline, seen); });
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
  RingHeader& header = core.ring.header();
  const auto is_done = [&] { return core.tasks_are_done(); };
  const auto look = [&] { return is_done() ? Core::Tried::done : Core::Tried::in_vain; };
  core.wait(look(), WaitKind::queue_join, header.sleeping_joiners, platform::never, look, is_done,
            is_done);
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
