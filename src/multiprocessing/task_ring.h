// The tasks that a pool's parent offers to its workers, in memory that they share, in their order.
//
// There is no lock, so nobody can be killed while he holds one. The parent alone writes tasks. A
// worker takes one by a single compare-exchange that puts its seat into the slot's claim: so whose
// a task is, is known from the very instruction that makes it his, and a worker killed at any
// instruction has either taken a task, and is on record for it, or has not, and the next one gets
// it.
//
// A slot's claim, 64 bits:
//
//     63            16 15        0
//     ┌───────────────┬───────────┐
//     │ position + 1  │ seat + 1  │     position: the task's number, from 0; its slot is that
//     └───────────────┴───────────┘     modulo the capacity
//
//     0 | 0      → p + 1 | 0             offered by the parent, which has written the task before
//     p + 1 | 0  → p + 1 | s + 1         taken by the worker on seat s
//     p + 1 | s + 1 → p + capacity + 1 | 0      offered anew; first the parent notes who has p
//
// `head` is where workers begin to look. All tasks below it are taken, those from it on may be;
// whoever finds one taken there moves it on, so that it does not matter who dies before that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A task as a worker is told of it.
struct OfferedTask {
  /// Bytes of a task that need no room elsewhere.
  static constexpr std::size_t inline_size = 48;

  std::uint32_t ticket = 0;
  std::uint32_t is_inline = 0;
  /// The task's bytes, if they are inline; otherwise words[0] is their place and words[1] their
  /// size.
  std::array<std::uint64_t, inline_size / sizeof(std::uint64_t)> words{};
};

/// Zeroed memory is an empty ring.
class TaskRing {
 public:
  static constexpr std::size_t capacity = 1024;

  // --- the parent, one thread at a time ---

  /// Whose a task is: nobody's, or that of the worker on a seat.
  using Seat = std::optional<std::uint16_t>;

  /// Who has taken the task at `position`, one of the last `capacity` that were offered.
  Seat taker_of(std::uint64_t position) const noexcept;
  /// False while the task before it in the slot of `position` is not taken.
  bool has_room(std::uint64_t position) const noexcept;
  /// Offers the task; has_room() holds, and taker_of() has been asked about the one before it.
  void offer(std::uint64_t position, const OfferedTask& task) noexcept;

  // --- workers ---

  /// Takes the oldest task that nobody has taken.
  std::optional<OfferedTask> take(std::uint16_t seat) noexcept;
  /// Whether there is one. For workers that are about to sleep, after they have said so.
  bool has_task() noexcept;

 private:
  using Claim = std::uint64_t;
  static constexpr Claim offered(std::uint64_t position) noexcept { return (position + 1) << 16; }

  struct alignas(64) Slot {
    platform::atomic<Claim> claim;
    // Written by the parent while the slot is nobody's to take; a worker that reads them meanwhile
    // fails to take it.
    platform::atomic<std::uint32_t> ticket;
    platform::atomic<std::uint32_t> is_inline;
    std::array<platform::atomic<std::uint64_t>, 6> words;
  };

  Slot& slot_of(std::uint64_t position) noexcept { return slots_[position % capacity]; }
  const Slot& slot_of(std::uint64_t position) const noexcept { return slots_[position % capacity]; }
  /// The first position that is not taken, and its claim; none if it is not offered yet.
  bool find_task(std::uint64_t& position) noexcept;

  alignas(64) platform::atomic<std::uint64_t> head_;
  alignas(64) std::array<Slot, capacity> slots_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
