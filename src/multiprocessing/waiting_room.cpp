#include "multiprocessing/waiting_room.h"

#include "runtime/life.h"
#include "runtime/shared_waiting.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

bool WaitingRoom::is_dead(Ticket ticket) const noexcept {
  // acquire: pairs with the release in join(), as is_dead() wants it.
  const std::uint32_t word = entry(ticket).load(platform::acquire);
  return sign_of(word) != Sign::left && runtime::is_dead(thread_of(word));
}

// Without the lock a number may be read that is another entry's by then: it is out of date.
std::optional<WaitingRoom::Ticket> WaitingRoom::first_of(Sign least, Sign most) const noexcept {
  std::optional<Ticket> first;
  std::uint64_t lowest = 0;
  // acquire, both: pairs with the release in join().
  const std::uint32_t used = used_.load(platform::acquire);
  for (Ticket ticket = 0; ticket != used; ++ticket) {
    const Sign found = sign_of(entry(ticket).load(platform::acquire));
    if (found < least || found > most) continue;
    const std::uint64_t number = numbers_[ticket].load(platform::relaxed);
    if (first && number >= lowest) continue;
    first = ticket;
    lowest = number;
  }
  return first;
}

// A dead one's, if need be, but not if it was chosen: what came to it is not used yet.
std::optional<WaitingRoom::Ticket> WaitingRoom::vacant() noexcept {
  const std::uint32_t used = used_.load(platform::relaxed);
  for (Ticket ticket = 0; ticket != used; ++ticket) {
    // acquire: pairs with the release in leave(), so that who joins there comes after.
    if (sign_of(entry(ticket).load(platform::acquire)) == Sign::left) return ticket;
  }
  if (used != capacity) return used;
  for (Ticket ticket = 0; ticket != used; ++ticket) {
    const std::uint32_t word = entry(ticket).load(platform::relaxed);
    if (sign_of(word) == Sign::waiting && is_dead(ticket)) return ticket;
  }
  return std::nullopt;
}

std::optional<WaitingRoom::Ticket> WaitingRoom::join(runtime::ThreadId thread) noexcept {
  const std::optional<Ticket> ticket = vacant();
  if (!ticket) return std::nullopt;
  const std::uint64_t number = arrivals_.load(platform::relaxed);
  arrivals_.store(number + 1, platform::relaxed);
  // A dead one's entry is nobody's before it gets another number.
  entry(*ticket).store(0, platform::relaxed);
  numbers_[*ticket].store(number, platform::relaxed);
  // release, both: pairs with the acquire of those who look without the lock.
  entry(*ticket).store(thread << 2 | static_cast<std::uint32_t>(Sign::waiting), platform::release);
  if (*ticket >= used_.load(platform::relaxed)) used_.store(*ticket + 1, platform::release);
  return ticket;
}

std::optional<WaitingRoom::Ticket> WaitingRoom::first_waiting() noexcept {
  const std::uint32_t used = used_.load(platform::relaxed);
  std::uint32_t kept = used;
  // acquire: pairs with the release in leave(), as in vacant().
  while (kept != 0 && sign_of(entry(kept - 1).load(platform::acquire)) == Sign::left) --kept;
  if (kept != used) used_.store(kept, platform::relaxed);
  for (;;) {
    const std::optional<Ticket> first = first_of(Sign::waiting, Sign::waiting);
    if (!first || !is_dead(*first)) return first;
    leave(*first);
  }
}

void WaitingRoom::mark(Ticket ticket, Sign sign) noexcept {
  Entry& word = entry(ticket);
  // release: pairs with the acquire of the thread that sleeps on it.
  word.store((word.load(platform::relaxed) & ~3u) | static_cast<std::uint32_t>(sign),
             platform::release);
}

void WaitingRoom::wake(Ticket ticket) noexcept {
  runtime::wake_shared_word(entry(ticket), 1);
}

void WaitingRoom::leave(Ticket ticket) noexcept {
  entry(ticket).store(0, platform::release);
}

std::optional<WaitingRoom::Ticket> WaitingRoom::first_chosen() const noexcept {
  return first_of(Sign::chosen, Sign::called);
}

bool WaitingRoom::has_dead(Sign least) const noexcept {
  const std::uint32_t used = used_.load(platform::acquire);
  for (Ticket ticket = 0; ticket != used; ++ticket) {
    if (sign_of(entry(ticket).load(platform::relaxed)) >= least && is_dead(ticket)) return true;
  }
  return false;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
