#include "sync/parking_lot.h"

#include <array>
#include <functional>

namespace tutti::inline TUTTI_ABI::sync {

namespace {

constexpr std::size_t page = 4096;

alignas(page) constinit std::array<Bucket, 1024> buckets{};

// When the queued threads do not exist any more, nor whoever held a guard: in a fork's child. There
// each page that is written to costs a copy, so what is at rest is only read.
void forget_waiters() {
  for (Bucket& bucket : buckets) {
    if (!bucket.is_at_rest()) bucket.reset();
  }
}

// Pages that have never been looked at are not in the child's memory map, either, and each first
// look costs a page fault there. So they are looked at before the fork.
void look_at_all_pages() {
  for (std::size_t i = 0; i < buckets.size(); i += page / sizeof(Bucket)) {
    static_cast<void>(buckets[i].is_locked());
  }
}

[[maybe_unused]] const bool prepared = (prepare_parking_lot(), true);

}  // namespace

void prepare_parking_lot() noexcept {
  static const bool once = [] {
    platform::around_fork({look_at_all_pages, nullptr, forget_waiters});
    platform::on_restart(forget_waiters, platform::Restart::after_loss);
    return true;
  }();
  (void)once;
}

Bucket& bucket_of(const void* key) noexcept {
  // What lies in one cache line goes to one bucket, such as a condition and its lock: whoever moves
  // a waiter from one to the other then locks one guard. Fibonacci hashing sends neighbours far
  // apart.
  const std::uintptr_t line = platform::cache_line_of(key);
  return buckets[static_cast<std::uint64_t>(line * 0x9e3779b97f4a7c15u) >> 54];
}

Bucket& lock_bucket_of(const Waiter& waiter) noexcept {
  for (;;) {
    const void* key = waiter.key.load(platform::relaxed);
    Bucket& bucket = bucket_of(key);
    bucket.lock();
    if (waiter.key.load(platform::relaxed) == key) return bucket;
    bucket.unlock();
  }
}

BucketPair::BucketPair(Bucket& a, Bucket& b) noexcept
    : first_(std::less<>()(&a, &b) ? a : b), second_(&first_ == &a ? b : a) {
  first_.lock();
  if (&second_ != &first_) second_.lock();
}

BucketPair::~BucketPair() {
  if (&second_ != &first_) second_.unlock();
  first_.unlock();
}

void Bucket::push_back(Waiter& waiter, const void* key) noexcept {
  waiter.key.store(key, platform::relaxed);
  waiter.outcome = Outcome::queued;
  waiters_.push_back(waiter);
}

void Bucket::push_front(Waiter& waiter, const void* key) noexcept {
  waiter.key.store(key, platform::relaxed);
  waiter.outcome = Outcome::queued;
  waiters_.push_front(waiter);
}

void Bucket::remove(Waiter& waiter) noexcept {
  waiters_.remove(waiter);
}

Waiter* Bucket::first(const void* key) const noexcept {
  for (Waiter* waiter = waiters_.first(); waiter != nullptr; waiter = waiter->next) {
    if (waiter->key.load(platform::relaxed) == key) return waiter;
  }
  return nullptr;
}

bool Bucket::holds(const runtime::Slot& slot, const void* key) const noexcept {
  for (const Waiter* waiter = waiters_.first(); waiter != nullptr; waiter = waiter->next) {
    if (waiter->self.slot == &slot) return waiter->key.load(platform::relaxed) == key;
  }
  return false;
}

bool Bucket::is_followed(const Waiter& waiter) const noexcept {
  for (const Waiter* other = waiter.next; other != nullptr; other = other->next) {
    if (other->key.load(platform::relaxed) == waiter.key.load(platform::relaxed)) return true;
  }
  return false;
}

Waiter* Bucket::pop(const void* key, Outcome outcome) noexcept {
  Waiter* waiter = first(key);
  if (waiter == nullptr) return nullptr;
  waiter->leaves_others = is_followed(*waiter);
  waiter->outcome = outcome;
  remove(*waiter);
  return waiter;
}

Waiter* Bucket::pop_all(const void* key, Outcome outcome) noexcept {
  Waiter* list = nullptr;
  Waiter** end = &list;
  for (Waiter* waiter = waiters_.first(); waiter != nullptr;) {
    Waiter* next = waiter->next;
    if (waiter->key.load(platform::relaxed) == key) {
      remove(*waiter);
      waiter->outcome = outcome;
      *end = waiter;
      end = &waiter->next;
    }
    waiter = next;
  }
  return list;
}

void Bucket::reset() noexcept {
  guard_.reset();
  waiters_ = {};
}

void wake_all(Waiter* first) noexcept {
  while (first != nullptr) {
    // Once woken, the waiter's memory belongs to its thread again.
    Waiter* next = first->next;
    wake(*first);
    first = next;
  }
}

}  // namespace tutti::inline TUTTI_ABI::sync
