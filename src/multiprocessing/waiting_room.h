// Who waits, in order of arrival, in memory that processes share.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "runtime/registry.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Entries, one for each waiting thread, which sleeps on its own. All-zero = empty.
///
///      31                        2   1   0          left     nobody's, or nobody's any more
///     ┌───────────────────────────┬───────┐         waiting
///     │ the waiting thread's id   │ sign  │         chosen   what it waits for is to come to it
///     └───────────────────────────┴───────┘         called   it may go on
///
/// An entry that has left is the next one's that comes, wherever it stands, so one that waits for
/// long keeps no other place taken than its own. What is in order is the number of its arrival,
/// which stands beside each entry. Looking for the first takes a look at all up to `used`, which
/// falls when the last have left.
///
/// All but reading is done under a lock of the room's user, who may be killed in between. Each step
/// is one store, and leaves a room that is right: a number is taken before it is written, and
/// written before the entry is; and an entry is written before `used` covers it. Entries of dead
/// threads are as good as left; a thread that died `chosen` or `called`, without having left, has
/// not used what came to it.
class WaitingRoom {
 public:
  enum class Sign : std::uint32_t { left, waiting, chosen, called };
  /// The place of an entry.
  using Ticket = std::uint32_t;
  using Entry = platform::atomic<std::uint32_t>;

  static constexpr std::uint32_t capacity = 4096;

  static constexpr Sign sign_of(std::uint32_t entry) noexcept { return Sign{entry & 3}; }
  static constexpr runtime::ThreadId thread_of(std::uint32_t entry) noexcept { return entry >> 2; }

  Entry& entry(Ticket ticket) noexcept { return entries_[ticket]; }
  const Entry& entry(Ticket ticket) const noexcept { return entries_[ticket]; }

  /// Nothing if 4096 wait already.
  std::optional<Ticket> join(runtime::ThreadId thread) noexcept;
  /// The longest waiting thread that lives.
  std::optional<Ticket> first_waiting() noexcept;
  void mark(Ticket ticket, Sign sign) noexcept;
  /// Has it look at its entry.
  void wake(Ticket ticket) noexcept;
  /// Marks and wakes it.
  void call(Ticket ticket) noexcept {
    mark(ticket, Sign::called);
    wake(ticket);
  }
  /// By the thread itself, which has gone on, also without the lock; by it or another one, under
  /// the lock, when it has given up or is dead.
  void leave(Ticket ticket) noexcept;

  /// The oldest that is chosen or called, dead or alive; also without the lock, when it may be out
  /// of date.
  std::optional<Ticket> first_chosen() const noexcept;
  Sign sign(Ticket ticket) const noexcept {
    // acquire: pairs with the release in mark().
    return sign_of(entry(ticket).load(platform::acquire));
  }
  /// True if some entry that has not left is a dead thread's, of one of the signs from `least` on.
  /// Without the lock: may be out of date.
  bool has_dead(Sign least) const noexcept;

  /// Calls `look(ticket)` for each that has not left, in no order.
  template <typename Look>
  void for_each(Look look) {
    const std::uint32_t used = used_.load(platform::acquire);
    for (Ticket ticket = 0; ticket != used; ++ticket) {
      if (sign_of(entry(ticket).load(platform::acquire)) != Sign::left) look(ticket);
    }
  }
  bool is_dead(Ticket ticket) const noexcept;

 private:
  std::optional<Ticket> first_of(Sign least, Sign most) const noexcept;
  std::optional<Ticket> vacant() noexcept;

  /// No entry from here on is anybody's.
  platform::atomic<std::uint32_t> used_;
  /// Numbers that were taken. 64 bits: they never come round.
  platform::atomic<std::uint64_t> arrivals_;
  std::array<Entry, capacity> entries_;
  std::array<platform::atomic<std::uint64_t>, capacity> numbers_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
