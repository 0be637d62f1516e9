// The tasks of a pool of processes: from their submission until a worker has them, and when they
// are settled.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "multiprocessing/worker_pool.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using runtime::GuardHolder;

}  // namespace

std::uint32_t WorkerPool::prepare(std::size_t size, std::span<std::byte>& room, Origin origin) {
  if (is_of_another_process()) check_open();
  std::optional<GuardHolder> held(guard_);
  if (!accepts(origin)) {
    held.reset();
    refuse(origin);
  }
  if (free_.first == no_ticket) {
    const auto first = static_cast<std::uint32_t>(flights_.size() * 256);
    flights_.push_back(std::make_unique<std::array<Flight, 256>>());
    for (std::uint32_t ticket = first; ticket < first + 256; ++ticket) add_last(free_, ticket);
  }
  Flight& made = flight(free_.first);
  made.size = size;
  if (!made.is_inline()) {
    const std::optional<std::size_t> place = store_.allocate(size);
    if (!place) {
      throw OSError(name_ + " has no room for a task of " + std::to_string(size) +
                        " bytes: too much waits for its workers",
                    ENOMEM);
    }
    made.place = *place;
  }
  const std::uint32_t ticket = take_first(free_);
  made.stage = Flight::Stage::prepared;
  unsettled_.fetch_add(1, platform::relaxed);
  room = bytes_of(made);
  return ticket;
}

void WorkerPool::submit(std::uint32_t ticket, TaskOwner& owner, std::uint32_t index) noexcept {
  owner.hold();
  Aftermath aftermath;
  bool is_over = false;
  {
    const GuardHolder held(guard_);
    Flight& made = flight(ticket);
    made.owner = &owner;
    made.index = index;
    made.has_begun = false;
    made.retries_left = options_.retries;
    is_over = is_over_;
    if (!is_over) {
      made.stage = Flight::Stage::pending;
      add_last(pending_, ticket);
      offer_pending(aftermath);
    } else {
      free_flight(ticket);
    }
  }
  if (is_over) {
    // Nobody is there any more who would do it.
    owner.failed(index, reason());
    owner.let_go();
    settle(1);
  }
  see_to(aftermath);
  if (state() == State::broken || state() == State::terminated) tell_results_thread();
}

void WorkerPool::fail(std::uint32_t ticket, TaskOwner& owner, std::uint32_t index,
                      std::exception_ptr exception) {
  bool is_over = false;
  {
    const GuardHolder held(guard_);
    is_over = is_over_;
    not_made_.emplace_back(ticket, std::move(exception));
    flight(ticket).owner = &owner;
    flight(ticket).index = index;
    owner.hold();
  }
  if (is_over) {
    tell_of_not_made();
  } else {
    tell_results_thread();
  }
}

void WorkerPool::tell_of_not_made() noexcept {
  for (;;) {
    Line one;
    std::exception_ptr exception;
    {
      const GuardHolder held(guard_);
      if (not_made_.empty()) return;
      add_last(one, not_made_.back().first);
      exception = std::move(not_made_.back().second);
      not_made_.pop_back();
    }
    settle_all(one, exception);
  }
}

void WorkerPool::discard(std::uint32_t ticket) noexcept {
  {
    const GuardHolder held(guard_);
    free_flight(ticket);
  }
  settle(1);
}

void WorkerPool::cancel_pending() noexcept {
  Line dropped;
  {
    const GuardHolder held(guard_);
    dropped = std::exchange(pending_, Line{});
  }
  settle_all(dropped, nullptr);
}

std::span<std::byte> WorkerPool::bytes_of(Flight& flight) noexcept {
  if (flight.is_inline()) return std::as_writable_bytes(std::span(flight.words)).first(flight.size);
  return memory_.task_bytes().subspan(flight.place, flight.size);
}

// --- lists, under the guard ----------------------------------------------------------------------

void WorkerPool::add_last(Line& line, std::uint32_t ticket) noexcept {
  flight(ticket).next = no_ticket;
  if (line.first == no_ticket) {
    line.first = ticket;
  } else {
    flight(line.last).next = ticket;
  }
  line.last = ticket;
}

void WorkerPool::add_first(Line& line, std::uint32_t ticket) noexcept {
  flight(ticket).next = line.first;
  if (line.first == no_ticket) line.last = ticket;
  line.first = ticket;
}

std::uint32_t WorkerPool::take_first(Line& line) noexcept {
  const std::uint32_t ticket = line.first;
  if (ticket != no_ticket) line.first = flight(ticket).next;
  return ticket;
}

void WorkerPool::free_flight(std::uint32_t ticket) noexcept {
  Flight& freed = flight(ticket);
  if (!freed.is_inline()) {
    // Blocks are kept, but not the memory of very large ones.
    constexpr std::size_t very_large = std::size_t{32} << 20;
    if (freed.size >= very_large) memory_.drop(bytes_of(freed));
    store_.free(freed.place, freed.size);
  }
  if (freed.stage == Flight::Stage::offered) --in_flight_;
  freed.stage = Flight::Stage::free;
  freed.owner = nullptr;
  add_first(free_, ticket);
}

// --- offering, under the guard -------------------------------------------------------------------

void WorkerPool::note_taker(std::uint64_t position) noexcept {
  Flight& former = flight(ticket_at_[position % TaskRing::capacity]);
  if (former.stage == Flight::Stage::offered && former.position == position) {
    former.seat = memory_.words().tasks.taker_of(position);
  }
}

void WorkerPool::offer_pending(Aftermath& aftermath) noexcept {
  if (state() == State::broken || state() == State::terminated) return;
  TaskRing& tasks = memory_.words().tasks;
  while (pending_.first != no_ticket && in_flight_ < window_ && tasks.has_room(position_)) {
    const std::uint32_t ticket = take_first(pending_);
    Flight& next = flight(ticket);
    if (!next.has_begun && !next.owner->begin(next.index)) {
      add_last(aftermath.dropped, ticket);
      continue;
    }
    next.has_begun = true;
    OfferedTask task{ticket, next.is_inline() ? 1u : 0u, next.words};
    if (!next.is_inline()) task.words = {next.place, next.size};
    if (position_ >= TaskRing::capacity) note_taker(position_ - TaskRing::capacity);
    ticket_at_[position_ % TaskRing::capacity] = ticket;
    next.stage = Flight::Stage::offered;
    next.seat.reset();
    next.position = position_;
    tasks.offer(position_, task);
    ++position_;
    ++in_flight_;
    ++aftermath.offered;
  }
}

void WorkerPool::see_to(const Aftermath& aftermath) noexcept {
  for (std::size_t i = 0; i < std::min(aftermath.offered, workers()); ++i) memory_.wake_worker();
  Line dropped = aftermath.dropped;
  if (dropped.first != no_ticket) settle_all(dropped, nullptr);
}

void WorkerPool::settle(std::size_t tasks) noexcept {
  if (tasks == 0) return;
  // release: pairs with the acquire of the results thread, which then has the workers end.
  if (unsettled_.fetch_sub(tasks, platform::acq_rel) == tasks && state() == State::closed) {
    tell_results_thread();
  }
}

void WorkerPool::settle_all(Line& line, const std::exception_ptr& exception) noexcept {
  for (;;) {
    TaskOwner* owner = nullptr;
    std::uint32_t index = 0;
    {
      const GuardHolder held(guard_);
      const std::uint32_t ticket = take_first(line);
      if (ticket == no_ticket) return;
      owner = flight(ticket).owner;
      index = flight(ticket).index;
      free_flight(ticket);
    }
    if (exception != nullptr) {
      owner->failed(index, exception);
    } else {
      owner->cancelled(index);
    }
    owner->let_go();
    settle(1);
  }
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
