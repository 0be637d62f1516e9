// The results thread of a pool of processes: it reads what the workers tell.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "multiprocessing/worker_pool.h"
#include "runtime/shared_waiting.h"
#include "tutti/errors.h"
#include "tutti/pickle/exceptions.h"
#include "tutti/pickle/packed.h"
#include "tutti/thread.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using runtime::GuardHolder;

}  // namespace

void WorkerPool::tell_results_thread() noexcept {
  // seq_cst: see PoolMemory::wake_parent().
  has_news_.store(true, platform::seq_cst);
  memory_.wake_parent_surely();
}

void WorkerPool::read_results() {
  runtime::Self& self = runtime::self();
  for (;;) {
    bool has_read = false;
    for (std::size_t seat = 0; seat < seats_.size(); ++seat) has_read |= read_results_of(seat);
    if (has_news_.load(platform::relaxed) && has_news_.exchange(false, platform::seq_cst)) {
      heed_news();
    } else if (!has_read) {
      if (are_workers_gone_.load(platform::acquire)) break;
      sleep_until_news(self);
    }
  }
  settle_leftovers();
}

bool WorkerPool::read_results_of(std::size_t number) {
  Seat& seat = *seats_[number];
  // First, so that what a dead worker has told is there to be read.
  const bool is_dead = seat.phase.load(platform::acquire) == Seat::Phase::dead;
  // So many at a time, lest other workers wait for tasks meanwhile.
  constexpr std::size_t most = 128;
  std::size_t read = 0;
  for (std::size_t some = 1; some != 0 && (is_dead || read < most); read += some) {
    some = read_some_results(seat);
  }
  if (seat.reader.is_damaged() && !seat.is_to_be_killed.exchange(true, platform::relaxed)) {
    ring_supervisor();
  }
  if (is_dead) bury(number);
  if (read == 0 && !is_dead) return false;
  Aftermath aftermath;
  {
    const GuardHolder held(guard_);
    if (options_.is_brittle) adapt_window(read);
    offer_pending(aftermath);
  }
  see_to(aftermath);
  return true;
}

// Several under one guard, which those who submit tasks want meanwhile.
std::size_t WorkerPool::read_some_results(Seat& seat) {
  struct Result {
    ResultRecord record;
    /// Null if nobody waits for it any more.
    TaskOwner* owner;
    std::uint32_t index;
  };
  std::array<Result, 32> some;
  std::size_t count = 0;
  for (; count < some.size(); ++count) {
    const std::optional<ResultRecord> record = seat.reader.next();
    if (!record) break;
    some[count] = {*record, nullptr, 0};
  }
  if (count == 0) return 0;
  const std::span results = std::span(some).first(count);
  {
    const GuardHolder held(guard_);
    for (Result& each : results) {
      const std::uint32_t ticket = each.record.ticket;
      if (each.record.kind == RecordKind::not_ready || ticket >= flights_.size() * 256) continue;
      const Flight& settled = flight(ticket);
      // It has failed before, if the pool was broken or terminated.
      if (settled.stage != Flight::Stage::offered) continue;
      each.owner = settled.owner;
      each.index = settled.index;
      free_flight(ticket);
    }
  }
  std::size_t settled = 0;
  for (const Result& each : results) {
    if (each.record.kind == RecordKind::not_ready) seat.not_ready = exception_of(each.record);
    if (each.owner != nullptr) {
      hand_over(each.record, *each.owner, each.index);
      ++settled;
    }
    memory_.drop(seat.reader.beyond_kept(each.record));
    seat.reader.pass(each.record);
  }
  settle(settled);
  return count;
}

void WorkerPool::hand_over(const ResultRecord& record, TaskOwner& owner,
                           std::uint32_t index) noexcept {
  std::exception_ptr exception;
  if (record.kind == RecordKind::result) {
    try {
      pickle::Reader reader(record.bytes);
      owner.arrived(index, reader);
    } catch (...) {
      exception = not_packed("the result of a task can't be unpacked");
    }
  } else {
    exception = exception_of(record);
  }
  if (exception != nullptr) owner.failed(index, exception);
  owner.let_go();
}

std::string in_words(const std::vector<pickle::ThrownRecord>& chain) {
  if (chain.empty()) return "an unknown exception";
  return chain.front().type + (chain.front().text.empty() ? "" : ": " + chain.front().text);
}

std::exception_ptr WorkerPool::exception_of(const ResultRecord& record) noexcept {
  try {
    pickle::Reader reader(record.bytes);
    if (record.kind == RecordKind::exit) {
      thread::SystemExit exit;
      reader.read(&exit, sizeof exit);
      throw exit;
    }
    const auto chain = pickle::unpack<std::vector<pickle::ThrownRecord>>(reader);
    if (record.kind != RecordKind::not_packed) return pickle::rebuild_exception(chain);
    throw MaybeEncodingError(
        "the arguments of a task can't be unpacked in its worker, or its "
        "result not packed: " +
        in_words(chain));
  } catch (...) {
    return std::current_exception();
  }
}

bool WorkerPool::is_finished() noexcept {
  const GuardHolder held(guard_);
  if (state() != State::closed || unsettled_.load(platform::acquire) != 0) return false;
  if (sources_ != 0 && !is_sealed_) return false;
  is_sealed_ = true;
  return true;
}

void WorkerPool::heed_news() noexcept {
  tell_of_not_made();
  if (is_finished()) {
    // Workers look at it after they have said that they are idle: see Worker::wait_for_task().
    memory_.words().is_closed.store(1, platform::seq_cst);
    memory_.wake_all_workers();
    ring_supervisor();
  }
  const State now = state();
  if (now == State::broken || now == State::terminated) {
    Line dropped = take_all_flights();
    settle_all(dropped, reason());
  }
}

WorkerPool::Line WorkerPool::take_all_flights() noexcept {
  const GuardHolder held(guard_);
  Line all = std::exchange(pending_, Line{});
  for (std::uint32_t ticket = 0; ticket < flights_.size() * 256; ++ticket) {
    Flight& each = flight(ticket);
    if (each.stage != Flight::Stage::offered) continue;
    // Workers may be at them still.
    --in_flight_;
    each.stage = Flight::Stage::pending;
    add_last(all, ticket);
  }
  return all;
}

// When the workers are gone: what is left, and from now on what comes, is for nobody to do.
void WorkerPool::settle_leftovers() noexcept {
  for (;;) {
    tell_of_not_made();
    Line left = take_all_flights();
    if (left.first == no_ticket) {
      const GuardHolder held(guard_);
      is_over_ = pending_.first == no_ticket && not_made_.empty();
      if (is_over_) return;
    }
    settle_all(left, reason());
  }
}

void WorkerPool::sleep_until_news(runtime::Self& self) {
  platform::atomic<std::uint32_t>& is_asleep = memory_.words().is_parent_asleep;
  const auto has_something = [this] {
    if (has_news_.load(platform::seq_cst)) return true;
    return std::any_of(seats_.begin(), seats_.end(),
                       [](const auto& seat) { return seat->reader.has_record(); });
  };
  // seq_cst: see PoolMemory::wake_parent().
  is_asleep.store(1, platform::seq_cst);
  if (!has_something()) {
    const runtime::Reason reason(runtime::WaitKind::work, this, platform::Reach::machine);
    runtime::SharedWait wait(self, reason, platform::never);
    while (is_asleep.load(platform::acquire) == 1) {
      const runtime::Ended ended = wait.sleep_on(is_asleep, 1);
      if (runtime::must_stop(self)) runtime::stop_for_good(self);
      // A worker may have been killed between telling something and waking us.
      if (ended != runtime::Ended::woken || has_something()) break;
    }
  }
  is_asleep.store(0, platform::relaxed);
}

// Of a pool whose calls can be cancelled until they are offered: so few are offered that it does
// not matter, and so many that workers don't wait. A window is worth some milliseconds.
void WorkerPool::adapt_window(std::size_t settled) noexcept {
  constexpr std::int64_t too_short = 1'000'000;
  constexpr std::int64_t too_long = 4'000'000;
  settled_in_window_ += settled;
  if (settled_in_window_ < window_) return;
  settled_in_window_ = 0;
  const std::int64_t now = platform::now();
  const std::int64_t took = now - window_since_;
  window_since_ = now;
  if (took < too_short) window_ = std::min(window_ * 2, TaskRing::capacity);
  if (took > too_long) window_ = std::max(window_ / 2, workers() + 1);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
