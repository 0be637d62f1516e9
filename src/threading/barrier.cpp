// A barrier: its fields are guarded by the guard of the bucket in which its waiters queue.
#include "tutti/threading/barrier.h"

#include <string>
#include <utility>

#include "sync/parking_lot.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

using sync::Bucket;
using sync::Outcome;
using sync::Waiter;

Barrier::Barrier(int parties, std::function<void()> action, Timeout timeout)
    : parties_(parties), timeout_(timeout), action_(std::move(action)) {
  if (parties < 1) {
    throw_bad_value("a barrier's parties must be >= 1, not " + std::to_string(parties));
  }
}

int Barrier::wait() {
  return wait(timeout_);
}

int Barrier::wait(Timeout timeout) {
  const Arrival arrival = arrive(timeout);
  if (arrival.acts) act(arrival.round);
  return arrival.rank;
}

Barrier::Arrival Barrier::arrive(Timeout timeout) {
  const platform::Operation operation("Barrier.wait", this);
  runtime::Self& self = runtime::self();
  runtime::check_interrupt(self);
  const std::int64_t deadline = timeout.deadline();
  Bucket& bucket = sync::bucket_of(this);
  bucket.lock();
  while (state_.load(platform::relaxed) == State::acting) {
    wait_for_end_of_action(self, bucket);
    bucket.lock();
  }
  if (state_.load(platform::relaxed) == State::broken) {
    bucket.unlock();
    throw_broken();
  }

  const int rank = count_.load(platform::relaxed);
  count_.store(rank + 1, platform::relaxed);
  if (rank + 1 < parties_) {
    wait_for_others(self, bucket, deadline);
  } else if (action_) {
    state_.store(State::acting, platform::relaxed);
    actor_ = self.id;
    const std::uint32_t round = round_;
    bucket.unlock();
    return {rank, true, round};
  } else {
    Waiter* others = end_round(bucket, State::filling, Outcome::granted);
    bucket.unlock();
    sync::wake_all(others);
  }
  return {rank, false, 0};
}

void Barrier::wait_for_others(runtime::Self& self, Bucket& bucket, std::int64_t deadline) {
  Waiter waiter(self, runtime::WaitKind::barrier, this);
  bucket.push_back(waiter, this);
  bucket.unlock();
  Waiter* others = nullptr;
  const auto leave = [&](Bucket& in, runtime::Ended why) {
    if (why == runtime::Ended::timed_out) {
      others = end_round(in, State::broken, Outcome::refused);
    } else {
      count_.fetch_sub(1, platform::relaxed);
    }
  };
  // Once all have come, nobody is late any more: what is waited for is the action.
  const auto may_leave = [this] { return state_.load(platform::relaxed) != State::acting; };
  const runtime::Ended ended =
      sync::wait_in_queue(waiter, this, deadline, leave, runtime::Interrupts::heeded, may_leave);
  sync::wake_all(others);
  runtime::stop_or_throw(self, ended);
  if (ended == runtime::Ended::timed_out || waiter.outcome == Outcome::refused) throw_broken();
}

// One who comes while the action of a full round runs belongs to the next round. It queues like the
// others, and looks again when they are woken.
void Barrier::wait_for_end_of_action(runtime::Self& self, Bucket& bucket) {
  Waiter waiter(self, runtime::WaitKind::barrier, this);
  bucket.push_back(waiter, this);
  bucket.unlock();
  sync::wait_in_queue(
      waiter, this, platform::never, [](const Bucket&, runtime::Ended) {},
      runtime::Interrupts::deferred);
}

void Barrier::act(std::uint32_t round) {
  Bucket& bucket = sync::bucket_of(this);
  const auto end = [&](State next, Outcome outcome) {
    const platform::Operation operation("Barrier.end_action", this);
    bucket.lock();
    // The action may have called abort() or reset(), and so ended its round.
    const bool is_current = round_ == round;
    Waiter* others = is_current ? end_round(bucket, next, outcome) : nullptr;
    bucket.unlock();
    sync::wake_all(others);
    return is_current;
  };
  try {
    action_();
  } catch (...) {
    end(State::broken, Outcome::refused);
    throw;
  }
  if (!end(State::filling, Outcome::granted)) throw_broken();
}

sync::Waiter* Barrier::end_round(Bucket& bucket, State next, Outcome outcome) noexcept {
  ++round_;
  count_.store(0, platform::relaxed);
  state_.store(next, platform::relaxed);
  return bucket.pop_all(this, outcome);
}

void Barrier::refuse_all(State next) {
  runtime::Self& self = runtime::self();
  Bucket& bucket = sync::bucket_of(this);
  bucket.lock();
  // The round of an action is full, and not to be broken any more, unless by the action itself.
  while (state_.load(platform::relaxed) == State::acting && actor_ != self.id) {
    wait_for_end_of_action(self, bucket);
    bucket.lock();
  }
  Waiter* waiters = end_round(bucket, next, Outcome::refused);
  bucket.unlock();
  sync::wake_all(waiters);
}

void Barrier::reset() {
  const platform::Operation operation("Barrier.reset", this);
  refuse_all(State::filling);
}

void Barrier::abort() {
  const platform::Operation operation("Barrier.abort", this);
  refuse_all(State::broken);
}

int Barrier::n_waiting() const noexcept {
  const platform::Operation operation("Barrier.n_waiting", this, platform::Access::read);
  return operation.saw(count_.load(platform::relaxed));
}

bool Barrier::broken() const noexcept {
  const platform::Operation operation("Barrier.broken", this, platform::Access::read);
  return operation.saw(state_.load(platform::relaxed) == State::broken);
}

void Barrier::throw_broken() const {
  throw BrokenBarrierError(runtime::describe(runtime::WaitKind::barrier, this) + " is broken" +
                           runtime::in_calling_thread() +
                           ": it was aborted or reset, a wait timed out, or its action threw; "
                           "reset() makes it usable again");
}

}  // namespace tutti::inline TUTTI_ABI::threading
