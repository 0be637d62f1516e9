#include "multiprocessing/waiter_ring.h"

#include "runtime/life.h"
#include "runtime/shared_waiting.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

bool WaiterRing::is_dead(Ticket ticket) const noexcept {
  // acquire: pairs with the release in join(), as is_dead() wants it.
  const std::uint32_t word = entry(ticket).load(platform::acquire);
  return sign_of(word) != Sign::left && runtime::is_dead(thread_of(word));
}

void WaiterRing::forget_oldest() noexcept {
  const Ticket next = next_.load(platform::relaxed);
  Ticket oldest = oldest_.load(platform::relaxed);
  // acquire: pairs with the release in leave(), so that who joins there comes after.
  while (oldest != next && sign_of(entry(oldest).load(platform::acquire)) == Sign::left) ++oldest;
  oldest_.store(oldest, platform::relaxed);
}

std::optional<WaiterRing::Ticket> WaiterRing::join(runtime::ThreadId thread) noexcept {
  const Ticket end = end_.load(platform::relaxed);
  if (end - oldest_.load(platform::relaxed) == capacity) {
    first_waiting();  // Some may have given up, or died.
    if (end - oldest_.load(platform::relaxed) == capacity) return std::nullopt;
  }
  // release, both: pairs with the acquire of those who look without the lock.
  entry(end).store(thread << 2 | static_cast<std::uint32_t>(Sign::waiting), platform::release);
  end_.store(end + 1, platform::release);
  return end;
}

std::optional<WaiterRing::Ticket> WaiterRing::first_waiting() noexcept {
  const Ticket end = end_.load(platform::relaxed);
  for (Ticket next = next_.load(platform::relaxed);; ++next) {
    next_.store(next, platform::relaxed);
    forget_oldest();
    if (next == end) return std::nullopt;
    if (sign_of(entry(next).load(platform::relaxed)) != Sign::waiting) continue;
    if (!is_dead(next)) return next;
    entry(next).store(0, platform::relaxed);
  }
}

// Leaves `next` behind: a killed one may do so as well.
void WaiterRing::mark(Ticket ticket, Sign sign) noexcept {
  Entry& word = entry(ticket);
  // release: pairs with the acquire of the thread that sleeps on it.
  word.store((word.load(platform::relaxed) & ~3u) | static_cast<std::uint32_t>(sign),
             platform::release);
}

void WaiterRing::wake(Ticket ticket) noexcept {
  runtime::wake_shared_word(entry(ticket), 1);
}

void WaiterRing::leave(Ticket ticket) noexcept {
  entry(ticket).store(0, platform::release);
}

std::optional<WaiterRing::Ticket> WaiterRing::first_chosen() const noexcept {
  const Ticket end = end_.load(platform::acquire);
  for (Ticket ticket = oldest_.load(platform::relaxed); ticket != end; ++ticket) {
    const Sign found = sign(ticket);
    if (found == Sign::chosen || found == Sign::called) return ticket;
    // All before `next`, and it alone behind it, may have been marked.
    if (found == Sign::waiting && ticket != next_.load(platform::relaxed)) return std::nullopt;
  }
  return std::nullopt;
}

bool WaiterRing::has_dead(Sign least) const noexcept {
  const Ticket end = end_.load(platform::acquire);
  for (Ticket ticket = oldest_.load(platform::relaxed); ticket != end; ++ticket) {
    if (sign_of(entry(ticket).load(platform::relaxed)) >= least && is_dead(ticket)) return true;
  }
  return false;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
