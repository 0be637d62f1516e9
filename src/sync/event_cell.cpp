// Waiting for a flag, and setting one that is waited for.
#include "tutti/sync/event_cell.h"

#include "sync/parking_lot.h"

namespace tutti::inline TUTTI_ABI::sync {

void EventCell::set_slow() noexcept {
  Bucket& bucket = bucket_of(this);
  bucket.lock();
  // An event that was set already is set again all the same: the exchange publishes what this
  // thread has written.
  word_.exchange(set_bit, platform::acq_rel);
  Waiter* list = bucket.pop_all(this, Outcome::granted);
  bucket.unlock();
  wake_all(list);
}

bool EventCell::wait_slow(WaitKind kind, const void* about, std::int64_t deadline,
                          Interruption interruption) {
  runtime::Self& self = runtime::self();
  const bool heeds = interruption == Interruption::throws;
  if (is_set()) return true;
  if (deadline <= platform::now()) return false;
  if (heeds) runtime::check_interrupt(self);

  Waiter waiter(self, kind, about);
  Bucket& bucket = bucket_of(this);
  bucket.lock();
  std::uint32_t word = 0;
  if (!word_.compare_exchange_strong(word, waiters_bit, platform::acquire, platform::acquire) &&
      word == set_bit) {
    bucket.unlock();
    return true;
  }
  bucket.push_back(waiter, this);
  bucket.unlock();

  const runtime::Ended ended = wait_in_queue(
      waiter, this, deadline,
      [this](const Bucket& in, runtime::Ended) {
        if (in.first(this) == nullptr) word_.store(0, platform::relaxed);
      },
      heeds ? runtime::Interrupts::heeded : runtime::Interrupts::deferred);
  runtime::stop_or_throw(self, ended);
  return ended == runtime::Ended::woken;
}

}  // namespace tutti::inline TUTTI_ABI::sync
