#include "queue/core.h"

#include <algorithm>
#include <exception>

#include "runtime/patience.h"
#include "sync/wait_stats.h"

namespace tutti::inline TUTTI_ABI::queue {

namespace {

using runtime::GuardHolder;

// By who holds the guard of the side, or both.
std::uint64_t own(const Side& side) noexcept {
  return side.index.load(platform::relaxed);
}
void advance(Side& side, std::uint64_t by = 1) noexcept {
  side.index.store(own(side) + by, platform::release);
}

// Pushes one item after the other. What keeps a later one out is for the next call to meet again.
template <typename PushOne>
std::size_t push_all(std::byte* items, std::size_t size, std::size_t count, PushOne push_one) {
  std::size_t pushed = 0;
  try {
    while (pushed < count && push_one(items + pushed * size)) ++pushed;
  } catch (...) {
    if (pushed == 0) throw;
  }
  return pushed;
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

std::optional<std::size_t> QueueBase::Core::put_many(QueueBase& queue, std::byte* items,
                                                     std::size_t size, std::size_t count) {
  const GuardHolder held(putters.guard);
  if (putters.state.load(platform::relaxed) != 0) return std::nullopt;
  const std::uint64_t tail = own(putters);
  // acquire: as in put().
  if (tail - putters.known > limit - std::min(count, limit)) {
    putters.known = getters.index.load(platform::acquire);
  }
  const std::uint64_t present = tail - putters.known;
  const std::uint64_t room = present < limit ? limit - present : 0;
  const std::size_t pushed =
      push_all(items, size, static_cast<std::size_t>(std::min<std::uint64_t>(room, count)),
               [&queue](void* item) {
                 queue.push(item);
                 return true;
               });
  advance(putters, pushed);
  return pushed;
}

std::optional<std::size_t> QueueBase::Core::get_many(QueueBase& queue, void* places,
                                                     std::size_t most) noexcept {
  const GuardHolder held(get_guard);
  if (getters.state.load(platform::relaxed) != 0) return std::nullopt;
  const std::uint64_t head = own(getters);
  // acquire: as in get().
  if (getters.known - head < most) getters.known = putters.index.load(platform::acquire);
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(getters.known - head, most));
  queue.pop_many(places, count);
  advance(getters, count);
  return count;
}

void QueueBase::Core::learn(Side& side, std::uint64_t found) const noexcept {
  runtime::learn_patience(side.patience, found, limit);
}

bool QueueBase::Core::spin(Side& side, Deadline deadline) noexcept {
  const bool for_items = &side == &getters;
  // Only a hint, so relaxed: what it sees is looked at again under the guard.
  const auto is_worth_a_look = [&]() noexcept {
    const std::uint64_t held =
        putters.index.load(platform::relaxed) - getters.index.load(platform::relaxed);
    return (for_items ? held != 0 : held < limit) || side.state.load(platform::relaxed) != 0;
  };
  return runtime::spin_patiently(side.patience, &side, deadline, is_worth_a_look);
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
  if (hand_over_or_push(queue, item, to_wake)) return Result::done;
  if (waiting != nullptr) putters.line.push_back(*waiting);
  return std::nullopt;
}

std::size_t QueueBase::Core::put_many_attended(QueueBase& queue, std::byte* items, std::size_t size,
                                               std::size_t count) {
  ToWake to_wake;
  const BothGuards held(*this);
  if (is_shut_down) return 0;
  return push_all(items, size, count,
                  [&](void* item) { return hand_over_or_push(queue, item, to_wake); });
}

// False if there is no room.
bool QueueBase::Core::hand_over_or_push(QueueBase& queue, void* item, ToWake& to_wake) {
  if (!getters.line.is_empty()) {
    Waiting& getter = getters.line.take_first(Outcome::served);
    queue.hand_over(item, getter.item);
    advance(putters);
    advance(getters);
    to_wake.add(getter);
    return true;
  }
  if (own(putters) - own(getters) >= limit) return false;
  queue.push(item);
  advance(putters);
  return true;
}

std::optional<QueueBase::Result> QueueBase::Core::get_attended(QueueBase& queue, void* place,
                                                               Waiting* waiting) noexcept {
  ToWake to_wake;
  const BothGuards held(*this);
  if (held.size() == 0) {
    if (is_shut_down) return Result::shut_down;
    if (waiting != nullptr) getters.line.push_back(*waiting);
    return std::nullopt;
  }
  queue.pop(place);
  advance(getters);
  admit_putters(queue, to_wake);
  return Result::done;
}

std::size_t QueueBase::Core::get_many_attended(QueueBase& queue, void* places,
                                               std::size_t most) noexcept {
  ToWake to_wake;
  const BothGuards held(*this);
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(held.size(), most));
  queue.pop_many(places, count);
  advance(getters, count);
  admit_putters(queue, to_wake);
  return count;
}

// The indices only grow, so it counts as put once more, and as done once for that.
void QueueBase::Core::give_back(QueueBase& queue, void* item) noexcept {
  ToWake to_wake;
  const BothGuards held(*this);
  advance(putters);
  tasks.discount_one();
  if (getters.line.is_empty()) {
    queue.take_back(item);
  } else {
    Waiting& getter = getters.line.take_first(Outcome::served);
    queue.hand_over(item, getter.item);
    advance(getters);
    to_wake.add(getter);
  }
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
  const runtime::WaitKind kind = waiting.reason.kind.load(platform::relaxed);
  const void* const queue = waiting.reason.object.load(platform::relaxed);
  const std::int64_t since = platform::now();
  sync::note_wait_begins(kind, queue);
  const Outcome outcome = wait_in_line(waiting, deadline, spinning, [&]() noexcept {
    const BothGuards held(*this);
    const bool leaves = waiting.outcome == Outcome::waits;
    if (leaves) side.line.remove(waiting);
    return leaves;
  });
  sync::note_wait(waiting.self, kind, queue, since, outcome == Outcome::served);
  if (outcome == Outcome::waits) return Result::not_in_time;
  return outcome == Outcome::served ? Result::done : Result::shut_down;
}

void QueueBase::Core::shut_down(QueueBase& queue, void* content) {
  ToWake to_wake;
  const BothGuards held(*this);
  is_shut_down = true;
  if (content != nullptr) {
    const std::uint64_t dropped = held.size();
    queue.exchange_content(content);
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
