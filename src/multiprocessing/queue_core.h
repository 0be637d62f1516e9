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

  /// What has become of one look at the ring. `in_vain` has stored there what it has seen, in
  /// `seen`, so that a change can be waited for. `busy`: another one was busy with this side of the
  /// ring, and did not finish in time.
  enum class Tried { done, in_vain, busy, shut_down };

  /// Puts as many of `count` items, which `next(index)` packs, as there is room for.
  template <typename Next>
  Tried try_put(std::size_t count, Next next, Deadline deadline, std::uint64_t& seen,
                std::size_t& put);
  Tried try_get(const Unpacking& unpacking, std::size_t most, Deadline deadline,
                std::uint64_t& seen);

  template <typename Once>
  Result put(Deadline deadline, Once once);
  template <typename Once>
  Result get(Deadline deadline, Once once);
  template <typename Once, typename Changed, typename MoreToDo>
  Result wait(Tried tried, runtime::WaitKind wait_kind, Sleepers& sleepers, Deadline deadline,
              Once once, Changed changed, MoreToDo more_to_do);

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
