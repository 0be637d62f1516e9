#include "multiprocessing/task_ring.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

TaskRing::Seat TaskRing::taker_of(std::uint64_t position) const noexcept {
  // acquire: pairs with the release in take(), so that the worker has read the task before the
  // parent writes the next one over it.
  const Claim claim = slot_of(position).claim.load(platform::acquire);
  const auto taker = static_cast<std::uint16_t>(claim & 0xffff);
  if ((claim >> 16) != position + 1 || taker == 0) return std::nullopt;
  return static_cast<std::uint16_t>(taker - 1);
}

bool TaskRing::has_room(std::uint64_t position) const noexcept {
  return position < capacity || taker_of(position - capacity).has_value();
}

void TaskRing::offer(std::uint64_t position, const OfferedTask& task) noexcept {
  Slot& slot = slot_of(position);
  slot.ticket.store(task.ticket, platform::relaxed);
  slot.is_inline.store(task.is_inline, platform::relaxed);
  for (std::size_t i = 0; i < slot.words.size(); ++i) {
    slot.words[i].store(task.words[i], platform::relaxed);
  }
  // Its release pairs with the acquire in find_task(). seq_cst, because the parent looks at once
  // who is idle, and a worker that becomes idle looks for tasks: one of them sees the other.
  slot.claim.store(offered(position), platform::seq_cst);
}

bool TaskRing::find_task(std::uint64_t& position) noexcept {
  // relaxed: it only says where to look; what is there, the claims say.
  std::uint64_t head = head_.load(platform::relaxed);
  for (;;) {
    // seq_cst: see offer().
    const Claim claim = slot_of(head).claim.load(platform::seq_cst);
    if (claim == offered(head)) {
      position = head;
      return true;
    }
    // Not offered yet: what is there is the task one round before, or nothing.
    if (claim < offered(head)) return false;
    // Taken, perhaps rounds ago. Whoever moves the head, moves it over a taken task.
    if (head_.compare_exchange_strong(head, head + 1, platform::relaxed)) ++head;
  }
}

bool TaskRing::has_task() noexcept {
  std::uint64_t position = 0;
  return find_task(position);
}

std::optional<OfferedTask> TaskRing::take(std::uint16_t seat) noexcept {
  std::uint64_t position = 0;
  while (find_task(position)) {
    Slot& slot = slot_of(position);
    OfferedTask task;
    task.ticket = slot.ticket.load(platform::relaxed);
    task.is_inline = slot.is_inline.load(platform::relaxed);
    for (std::size_t i = 0; i < slot.words.size(); ++i) {
      task.words[i] = slot.words[i].load(platform::relaxed);
    }
    Claim expected = offered(position);
    // release: pairs with the acquire in taker_of(). If the claim is still the same, so was the
    // task while it was read.
    if (slot.claim.compare_exchange_strong(expected, expected | (Claim{seat} + 1),
                                           platform::acq_rel, platform::relaxed)) {
      std::uint64_t head = position;
      head_.compare_exchange_strong(head, head + 1, platform::relaxed);
      return task;
    }
  }
  return std::nullopt;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
