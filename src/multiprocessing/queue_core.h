// What a process has of a queue that it shares: the ring, and how threads wait for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "multiprocessing/ring.h"
#include "runtime/self.h"
#include "tutti/multiprocessing/queue_base.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

struct QueueBase::Core {
  Core(const char* its_kind, Ring its_ring) noexcept;
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// What has become of one look at the ring. `busy`: another one was busy with this side of the
  /// ring, and did not finish in time.
  enum class Tried { done, in_vain, busy, shut_down };
  enum class Look {
    /// Now: what is there counts.
    at_once,
    /// Or a little later, if it pays to let more come together.
    patient,
    /// After waiting, and to learn from that.
    again,
  };

  // What is waited for: by puts, by gets, and until all tasks are done.
  class SideGoal;
  class Room;
  class Items;
  class TasksDone;

  /// Puts as many of `count` items, which `next(index)` packs, as there is room for.
  template <typename Next>
  Tried try_put(Room& room, std::size_t count, Next next, Look look, Deadline deadline,
                std::size_t& put);
  Tried try_get(Items& items, const Unpacking& unpacking, std::size_t most, Look look,
                Deadline deadline);

  /// From the first look, `once(look)`, to the end of the wait.
  template <typename Goal, typename Once>
  Result operate(Goal& goal, Deadline deadline, Once once);
  template <typename Goal, typename Once>
  Result wait(Goal& goal, Look look, Tried tried, Deadline deadline, Once once);

  [[noreturn]] void throw_too_large(std::size_t size) const;
  bool has_room() const noexcept;
  bool tasks_are_done() const noexcept;
  std::uint32_t unfinished_tasks() const noexcept;
  /// "Queue 'jobs'"
  std::string described() const;
  /// "Queue 'jobs': thread 'MainThread' of process 42 is busy putting an item ..."
  std::string described_as_busy(const SharedLockCell& lock, const char* doing) const;

  const char* const kind;
  const bool counts_tasks;
  Ring ring;
  platform::atomic<bool> is_closed{false};
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
