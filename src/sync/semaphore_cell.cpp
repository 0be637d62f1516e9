// Taking and giving when the count is 0 or threads are queued.
#include "tutti/sync/semaphore_cell.h"

#include "sync/parking_lot.h"

namespace tutti::inline TUTTI_ABI::sync {

bool SemaphoreCell::try_acquire_slow() {
  runtime::self();
  std::uint32_t word = word_.load(platform::relaxed);
  while (word > waiters_bit) {
    if (word_.compare_exchange_weak(word, word - one, platform::acquire, platform::relaxed))
      return true;
  }
  return false;
}

bool SemaphoreCell::acquire_slow(std::int64_t deadline) {
  runtime::Self& self = runtime::self();
  if (try_acquire_slow()) return true;
  if (deadline <= platform::now()) return false;
  runtime::check_interrupt(self);

  Waiter waiter(self, runtime::WaitKind::semaphore, this);
  Bucket& bucket = bucket_of(this);
  bucket.lock();
  std::uint32_t word = word_.load(platform::relaxed);
  while (word != waiters_bit) {
    const bool takes = word > waiters_bit;
    if (word_.compare_exchange_weak(word, takes ? word - one : waiters_bit, platform::acquire,
                                    platform::relaxed)) {
      if (!takes) break;
      bucket.unlock();
      return true;
    }
  }
  bucket.push_back(waiter, this);
  bucket.unlock();

  const runtime::Ended ended =
      wait_in_queue(waiter, this, deadline, [this](const Bucket& in, runtime::Ended) {
        if (in.first(this) == nullptr) word_.store(0, platform::relaxed);
      });
  const bool acquired = ended == runtime::Ended::woken;
  if (runtime::must_stop(self)) {
    if (acquired) give(1);
    runtime::stop_for_good(self);
  }
  runtime::throw_if_broken_off(self, ended);
  return acquired;
}

bool SemaphoreCell::give_slow(std::uint32_t n, std::uint32_t limit) noexcept {
  if (n > limit) return false;
  Bucket& bucket = bucket_of(this);
  bucket.lock();
  std::uint32_t word = word_.load(platform::relaxed);
  while ((word & waiters_bit) == 0) {
    const bool fits = (word >> 1) <= limit - n;
    if (!fits ||
        word_.compare_exchange_weak(word, word + n * one, platform::release, platform::relaxed)) {
      bucket.unlock();
      return fits;
    }
  }
  // With WAITERS set, nobody changes the word without the guard.
  Waiter* list = nullptr;
  Waiter** end = &list;
  while (n > 0 && (*end = bucket.pop(this, Outcome::granted)) != nullptr) {
    end = &(*end)->next;
    --n;
  }
  *end = nullptr;
  const bool others_wait = bucket.first(this) != nullptr;
  word_.store(others_wait ? waiters_bit : n * one, platform::release);
  bucket.unlock();
  wake_all(list);
  return true;
}

}  // namespace tutti::inline TUTTI_ABI::sync
