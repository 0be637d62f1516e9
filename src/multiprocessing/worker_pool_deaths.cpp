// What the results thread of a pool of processes makes of a worker's death: which task is lost, and
// whether the pool is broken.
#include <algorithm>

#include "multiprocessing/worker_pool.h"
#include "platform/process.h"
#include "tutti/errors.h"
#include "tutti/multiprocessing/worker_lost.h"
#include "tutti/pickle/exceptions.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using runtime::GuardHolder;

std::string how_it_ended(int exitcode) {
  if (exitcode >= 0) return "has ended with exit code " + std::to_string(exitcode);
  const char* const name = platform::signal_name(-exitcode);
  return "was killed by " + (name != nullptr ? name : "signal " + std::to_string(-exitcode));
}

}  // namespace

bool WorkerPool::holds(std::size_t seat, const Flight& flight) const noexcept {
  if (flight.stage != Flight::Stage::offered) return false;
  const TaskRing::Seat taker =
      flight.seat ? flight.seat : memory_.words().tasks.taker_of(flight.position);
  return taker == seat;
}

std::string WorkerPool::name_of_task(Flight& flight) noexcept {
  try {
    TaskReader reader(bytes_of(flight), code_);
    return reinterpret_cast<const TaskKind*>(reader.read_address())->name(reader);
  } catch (...) {
    return "a task";
  }
}

std::string WorkerPool::fate_of(const Seat& seat) const {
  return "worker '" + seat.name + "' (pid " + std::to_string(seat.pid) + ") of " + name_ + " " +
         how_it_ended(seat.exitcode) +
         (seat.reader.is_damaged() ? ", for it had overwritten memory that it shares with the pool"
                                   : "");
}

void WorkerPool::bury(std::size_t number) {
  Seat& seat = *seats_[number];
  Line lost;
  {
    const GuardHolder held(guard_);
    for (std::uint32_t ticket = 0; ticket < flights_.size() * 256; ++ticket) {
      Flight& each = flight(ticket);
      if (!holds(number, each)) continue;
      --in_flight_;
      each.stage = Flight::Stage::pending;
      if (each.retries_left > 0) {
        --each.retries_left;
        add_first(pending_, ticket);
      } else {
        add_last(lost, ticket);
      }
    }
  }
  const bool was_ready = memory_.seat(number).is_ready.load(platform::acquire) != 0;
  const bool is_ending = state() == State::terminated || state() == State::broken;
  if (!is_ending && options_.is_brittle && (seat.exitcode != 0 || lost.first != no_ticket)) {
    const bool had_calls = unsettled_.load(platform::acquire) != 0;
    if (was_ready) {
      break_down(fate_of(seat) +
                 (had_calls ? " while calls were running or pending" : " while it was idle"));
    }
  }
  if (!is_ending && !was_ready) learn_of_failure(seat);
  if (was_ready) failures_in_a_row_ = 0;
  if (lost.first != no_ticket) {
    const State now = state();
    settle_all(lost, now == State::terminated || now == State::broken
                         ? reason()
                         : std::make_exception_ptr(
                               WorkerLost(fate_of(seat) + " before the result of its task came: " +
                                              name_of_task(flight(lost.first)),
                                          seat.pid, seat.exitcode)));
  }
  vacate(number);
}

void WorkerPool::vacate(std::size_t number) noexcept {
  Seat& seat = *seats_[number];
  SeatWords& words = memory_.seat(number);
  memory_.words().idle[number / 64].fetch_and(~(std::uint64_t{1} << (number % 64)),
                                              platform::relaxed);
  words.wake.store(0, platform::relaxed);
  words.is_ready.store(0, platform::relaxed);
  seat.reader.reset();
  seat.is_to_be_killed.store(false, platform::relaxed);
  seat.not_ready = nullptr;
  // It may have been woken for a task that it has not taken any more.
  memory_.wake_worker();
  seat.phase.store(Seat::Phase::vacant, platform::release);
  ring_supervisor();
}

void WorkerPool::learn_of_failure(const Seat& seat) {
  ++failures_in_a_row_;
  // A single one may be bad luck. If all of the workers have failed, and some more, the next will.
  const std::size_t most = options_.is_brittle ? 0 : workers() + 2;
  if (failures_in_a_row_ <= most) return;
  std::string why = fate_of(seat) + " before it was ready";
  if (seat.not_ready != nullptr) {
    why = "the initializer of " + name_ + " has failed in " + std::to_string(failures_in_a_row_) +
          (failures_in_a_row_ == 1 ? " worker" : " workers in a row") + ", at last with " +
          in_words(pickle::describe_exception(seat.not_ready));
  }
  break_down(why);
}

void WorkerPool::break_down(const std::string& why) noexcept {
  {
    const GuardHolder held(guard_);
    if (state() == State::terminated || state() == State::broken) return;
    why_broken_ = why;
    state_.store(State::broken, platform::release);
  }
  tell_results_thread();
  ring_supervisor();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
