#include "queue/core.h"

#include <exception>

#include "runtime/load.h"
#include "runtime/spin.h"

namespace tutti::inline TUTTI_ABI::queue {

namespace {

using runtime::GuardHolder;

// A pause takes some 10 to 40 ns: at most about a microsecond.
constexpr std::uint32_t longest_patience = 31;

// By who holds the guard of the side, or both.
std::uint64_t own(const Side& side) noexcept {
  return side.index.load(platform::relaxed);
}
void advance(Side& side) noexcept {
  side.index.store(own(side) + 1, platform::release);
}

}  // namespace

// --- under one guard -----------------------------------------------------------------------------

QueueBase::Core::Tried QueueBase::Core::put(QueueBase& queue, void* item, Look look) {
  const GuardHolder held(putters.guard);
  if (putters.state.load(platform::relaxed) != 0) return Tried::attended;
  const std::uint64_t tail = own(putters);
  if (tail - putters.known >= limit) {
    if (look == Look::patient && putters.patience.load(platform::relaxed) > 0) {
      return Tried::in_vain;
    }
    // acquire: pairs with the release of the get that made room; its slot is free.
    putters.known = getters.index.load(platform::acquire);
    if (tail - putters.known >= limit) return Tried::in_vain;
    if (look == Look::again) learn(putters, limit - (tail - putters.known));
  }
  queue.push(item);
  putters.index.store(tail + 1, platform::release);
  return Tried::done;
}

QueueBase::Core::Tried QueueBase::Core::get(QueueBase& queue, void* place, Look look) noexcept {
  const GuardHolder held(get_guard);
  if (getters.state.load(platform::relaxed) != 0) return Tried::attended;
  const std::uint64_t head = own(getters);
  if (getters.known == head) {
    if (look == Look::patient && getters.patience.load(platform::relaxed) > 0) {
      return Tried::in_vain;
    }
    // acquire: pairs with the release of the put; its item is in the store.
    getters.known = putters.index.load(platform::acquire);
    if (getters.known == head) return Tried::in_vain;
    if (look == Look::again) learn(getters, getters.known - head);
  }
  queue.pop(place);
  getters.index.store(head + 1, platform::release);
  return Tried::done;
}

// Two sides that follow each other step by step spend their time on fetching each other's cache
// line. The one that waits therefore tries out whether it finds more if it comes a little later; if
// that brings no more than one, or all that there can be, it has come late for nothing.
void QueueBase::Core::learn(Side& side, std::uint64_t found) const noexcept {
  const std::uint32_t known = side.patience.load(platform::relaxed);
  const bool pays = found > 1 && found < limit;
  const std::uint32_t learnt =
      pays ? (known < longest_patience ? 2 * known + 1 : known) : known / 2;
  if (learnt != known) side.patience.store(learnt, platform::relaxed);
}

bool QueueBase::Core::spin(Side& side, Deadline deadline) noexcept {
  if (!platform::can_spin || !runtime::is_core_free()) return false;
  const bool for_items = &side == &getters;
  // Only a hint, so relaxed: what it sees is looked at again under the guard.
  const auto is_worth_a_look = [&]() noexcept {
    const std::uint64_t held =
        putters.index.load(platform::relaxed) - getters.index.load(platform::relaxed);
    return (for_items ? held != 0 : held < limit) || side.state.load(platform::relaxed) != 0;
  };
  const auto be_patient = [&side]() noexcept {
    for (std::uint32_t i = side.patience.load(platform::relaxed); i > 0; --i) platform::relax();
  };
  be_patient();
  if (is_worth_a_look()) return true;
  if (!runtime::spin<runtime::Looks::steady>(&side, deadline, is_worth_a_look)) return false;
  be_patient();
  return true;
}

// --- under both guards ---------------------------------------------------------------------------

/// Holds the guards of both sides, and leaves both sides knowing how things stand.
class QueueBase::Core::BothGuards {
 public:
  explicit BothGuards(Core& core) noexcept : core_(core) {
    core.putters.guard.lock();
    if (are_two()) core.get_guard.lock();
  }
  ~BothGuards() {
    Side& putters = core_.putters;
    Side& getters = core_.getters;
    putters.known = own(getters);
    getters.known = own(putters);
    const bool is_attended = !putters.line.is_empty() || !getters.line.is_empty();
    const std::uint32_t state =
        (is_attended ? Side::attended : 0) | (core_.is_shut_down ? Side::shut_down : 0);
    if (state != putters.state.load(platform::relaxed)) {
      putters.state.store(state, platform::relaxed);
      getters.state.store(state, platform::relaxed);
    }
    if (are_two()) core_.get_guard.unlock();
    putters.guard.unlock();
  }
  BothGuards(const BothGuards&) = delete;
  BothGuards& operator=(const BothGuards&) = delete;

  std::uint64_t size() const noexcept { return own(core_.putters) - own(core_.getters); }

 private:
  bool are_two() const noexcept { return &core_.get_guard != &core_.putters.guard; }

  Core& core_;
};

std::optional<QueueBase::Result> QueueBase::Core::put_attended(QueueBase& queue, void* item,
                                                               Waiting* waiting) {
  ToWake to_wake;
  const BothGuards held(*this);
  if (is_shut_down) return Result::shut_down;
  if (!getters.line.is_empty()) {
    Waiting& getter = getters.line.take_first(Outcome::served);
    queue.hand_over(item, getter.item);
    advance(putters);
    advance(getters);
    to_wake.add(getter);
  } else if (held.size() < limit) {
    queue.push(item);
    advance(putters);
  } else {
    if (waiting != nullptr) putters.line.append(*waiting);
    return std::nullopt;
  }
  return Result::done;
}

std::optional<QueueBase::Result> QueueBase::Core::get_attended(QueueBase& queue, void* place,
                                                               Waiting* waiting) noexcept {
  ToWake to_wake;
  const BothGuards held(*this);
  if (held.size() == 0) {
    if (is_shut_down) return Result::shut_down;
    if (waiting != nullptr) getters.line.append(*waiting);
    return std::nullopt;
  }
  queue.pop(place);
  advance(getters);
  admit_putters(queue, to_wake);
  return Result::done;
}

// There is room: the longest waiting putters' items come in.
void QueueBase::Core::admit_putters(QueueBase& queue, ToWake& to_wake) noexcept {
  while (!putters.line.is_empty() && own(putters) - own(getters) < limit) {
    Waiting& putter = putters.line.take_first(Outcome::served);
    try {
      queue.push(putter.item);
      advance(putters);
    } catch (...) {
      // No memory for it: that is the putter's to know.
      putter.failure = std::current_exception();
    }
    to_wake.add(putter);
  }
}

QueueBase::Result QueueBase::Core::wait(Side& side, Waiting& waiting, Deadline deadline,
                                        runtime::Spinning spinning) {
  const Outcome outcome = wait_in_line(waiting, deadline, spinning, [&]() noexcept {
    const BothGuards held(*this);
    const bool leaves = waiting.outcome == Outcome::waits;
    if (leaves) side.line.remove(waiting);
    return leaves;
  });
  if (outcome == Outcome::waits) return Result::not_in_time;
  return outcome == Outcome::served ? Result::done : Result::shut_down;
}

void QueueBase::Core::shut_down(QueueBase& queue, void* store) {
  ToWake to_wake;
  const BothGuards held(*this);
  is_shut_down = true;
  if (store != nullptr) {
    const std::uint64_t dropped = held.size();
    queue.exchange_store(store);
    getters.index.store(own(putters), platform::release);
    tasks.drop(dropped);
  }
  to_wake.add_all(getters.line, Outcome::refused);
  to_wake.add_all(putters.line, Outcome::refused);
}

// --- under none ----------------------------------------------------------------------------------

// Loaded twice with the same result, `head` has not moved in between, so this is the size at the
// moment when `tail` was loaded. acquire, each: keeps the loads in their order; and who has seen an
// item taken out sees it put in, and who has seen it put in sees the room that was made for it, so
// the result is neither below 0 nor above the limit.
std::size_t QueueBase::Core::size() const noexcept {
  std::uint64_t head = getters.index.load(platform::acquire);
  for (;;) {
    const std::uint64_t tail = putters.index.load(platform::acquire);
    const std::uint64_t again = getters.index.load(platform::acquire);
    if (again == head) return static_cast<std::size_t>(tail - head);
    head = again;
  }
}

}  // namespace tutti::inline TUTTI_ABI::queue
