// What holds a queue together: its two sides, and who waits at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "queue/line.h"
#include "queue/tasks.h"
#include "runtime/guard.h"
#include "runtime/patience.h"
#include "tutti/queue/base.h"

namespace tutti::inline TUTTI_ABI::queue {

/// What one operation after the other on one side of a queue needs; a cache line of its own.
struct alignas(64) Side {
  runtime::Guard guard;
  /// Whether the operations of this side are to be carried out by both sides' guards; 0 if not.
  /// Written under both guards, read under either.
  platform::atomic<std::uint32_t> state{0};
  static constexpr std::uint32_t attended = 1;   // Somebody waits in a line.
  static constexpr std::uint32_t shut_down = 2;  // The queue is.

  /// How many items have gone through this side, ever. Written under its guard, with release: who
  /// loads it with acquire sees the items up to there in the store, or out of it.
  platform::atomic<std::uint64_t> index{0};
  /// The other side's index as this one has last seen it: that moves on only, so items that it
  /// promises are there, and places free. Both sides' cache lines travel once for each time that
  /// the promises run out, and not for each item.
  std::uint64_t known = 0;
  /// The threads that wait at this side, longest first. Under both guards.
  Line line;
  runtime::Patience patience{0};
};

/// Puts and gets don't disturb each other: each takes the guard of its own side, and no other, as
/// long as nobody waits. Whoever has to wait, or finds somebody waiting, takes both guards, the
/// putters' first; under these everything below holds, and all of it may change.
///
/// - The queue holds putters.index - getters.index items.
/// - Getters wait in line only while it is empty, putters only while it is full, and neither once
///   it is shut down.
/// - `state` of both sides says whether anybody waits or the queue is shut down.
///
/// An item that is put while getters wait goes to the one that has waited longest, without passing
/// through the store; room that is made goes to the longest waiting putter. So nobody overtakes who
/// is in a line, and every operation takes effect at one moment: when it stores its index.
struct QueueBase::Core {
  Core(std::size_t its_limit, Ends ends) noexcept
      : limit(its_limit), get_guard(ends == Ends::apart ? getters.guard : putters.guard) {
    join_all_queues();
  }
  ~Core() { leave_all_queues(); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // --- under one guard ---

  enum class Tried {
    done,
    /// Full or empty, and nobody waits.
    in_vain,
    /// It takes both guards.
    attended,
  };
  enum class Look {
    /// Now: what is there counts.
    at_once,
    /// Or a little later, if it pays to let more come together.
    patient,
    /// After waiting, and to learn from that.
    again,
  };
  struct Attempt {
    Tried tried;
    /// Whether a wait that follows may spin.
    runtime::Spinning spinning;
  };
  template <typename Once>
  Attempt attempt(Side& side, Deadline deadline, Once once);
  /// A put or get, from the first look to the end of the wait.
  template <typename Once, typename Attended>
  Result operate(runtime::Self& self, const QueueBase& queue, Side& side, runtime::WaitKind kind,
                 void* item, Deadline deadline, Once once, Attended attended);
  Tried put(QueueBase& queue, void* item, Look look);
  Tried get(QueueBase& queue, void* place, Look look) noexcept;
  // How many; nothing if it takes both guards.
  std::optional<std::size_t> put_many(QueueBase& queue, std::byte* items, std::size_t size,
                                      std::size_t count);
  std::optional<std::size_t> get_many(QueueBase& queue, void* places, std::size_t most) noexcept;

  /// Waits without a place in a line: returns true when it is time to look again, false when it is
  /// time to line up.
  bool spin(Side& side, Deadline deadline) noexcept;

  // --- under both guards ---

  // What a put or get comes to at once; nothing if it has to wait, and then `waiting`, if there is
  // one, is in its line.
  std::optional<Result> put_attended(QueueBase& queue, void* item, Waiting* waiting);
  std::optional<Result> get_attended(QueueBase& queue, void* place, Waiting* waiting) noexcept;
  Result wait(Side& side, Waiting& waiting, Deadline deadline, runtime::Spinning spinning);
  std::size_t put_many_attended(QueueBase& queue, std::byte* items, std::size_t size,
                                std::size_t count);
  std::size_t get_many_attended(QueueBase& queue, void* places, std::size_t most) noexcept;
  void give_back(QueueBase& queue, void* item) noexcept;
  void shut_down(QueueBase& queue, void* content);

  // --- for forks ---

  void join_all_queues() noexcept;
  void leave_all_queues() noexcept;
  void lock_all() noexcept;
  void unlock_all() noexcept;
  /// In a fork's child, where the others who wait or use it are missing.
  void forget_others() noexcept;

  // --- under none ---

  /// As it was at one moment during the call.
  std::size_t size() const noexcept;

  const std::size_t limit;
  Side putters;
  Side getters;
  runtime::Guard& get_guard;
  Tasks tasks{putters.index};
  /// Under both guards.
  bool is_shut_down = false;
  /// In the list of all queues.
  Core* next = nullptr;
  Core* previous = nullptr;

 private:
  class BothGuards;

  bool hand_over_or_push(QueueBase& queue, void* item, ToWake& to_wake);
  void admit_putters(QueueBase& queue, ToWake& to_wake) noexcept;
  void learn(Side& side, std::uint64_t found) const noexcept;
};

}  // namespace tutti::inline TUTTI_ABI::queue
