// What a pool's parent and its workers share: one segment, in which this lies.
//
//     PoolWords   who is idle, whether the parent sleeps, the ring of tasks
//     modules     of which tasks call functions, if the workers are not forked
//     seats       one a worker: its words and the ring of its results
//     results     one area a worker, for large results
//     tasks       for the bytes of tasks that are not inline
//
// The last two are as large as the machine's memory: pages take memory once they are touched.
//
// A worker has a *seat*. When it is dead, and all that it has told is read and what it had taken is
// settled, the next one gets the seat.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "multiprocessing/code_table.h"
#include "multiprocessing/result_ring.h"
#include "multiprocessing/task_ring.h"
#include "tutti/multiprocessing/segment.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

inline constexpr std::size_t most_workers = 4096;

/// Of one worker.
struct SeatWords {
  /// 0 while the worker is idle; it sleeps on it.
  alignas(64) platform::atomic<std::uint32_t> wake;
  /// 1 once the worker has called the initializer.
  platform::atomic<std::uint32_t> is_ready;
  ResultWords results;
};

/// In zeroed memory it is as it begins.
struct PoolWords {
  /// A bit for each seat whose worker is about to sleep, or does. Who takes the bit away, wakes.
  alignas(64) std::array<platform::atomic<std::uint64_t>, most_workers / 64> idle;
  /// 1 while the parent's thread that reads results is about to sleep, or does; it sleeps on it.
  alignas(64) platform::atomic<std::uint32_t> is_parent_asleep;
  /// 1 when there are no more tasks to come: workers end.
  alignas(64) platform::atomic<std::uint32_t> is_closed;
  TaskRing tasks;
};

class PoolMemory {
 public:
  /// Throws OSError when there is no room for it.
  explicit PoolMemory(std::size_t workers);
  /// In a worker that was not forked: the memory that the parent has made for so many.
  PoolMemory(std::size_t workers, Segment segment);

  /// Of the segment, for so many workers.
  static std::size_t least_size(std::size_t workers) noexcept;

  const Segment& segment() const noexcept { return segment_; }
  PoolWords& words() const noexcept;
  ModuleRecords& modules() const noexcept;
  SeatWords& seat(std::size_t seat) const noexcept;
  ResultPlaces results_of(std::size_t seat) const noexcept;
  /// The area for the bytes of tasks.
  std::span<std::byte> task_bytes() const noexcept;
  /// Gives the memory of whole pages of `bytes`, which lie in the segment, back.
  void drop(std::span<const std::byte> bytes) const noexcept;

  // --- waking ---
  /// One of the workers that are idle, if there is one.
  void wake_worker() const noexcept;
  void wake_all_workers() const noexcept;
  /// The parent's thread that reads results.
  void wake_parent() const noexcept;
  /// Also if a worker was killed when it was about to.
  void wake_parent_surely() const noexcept;

 private:
  bool wake_worker_of(std::size_t word) const noexcept;

  std::size_t workers_;
  std::size_t areas_begin_;
  Segment segment_;
  /// Bytes of the area for large results of one worker.
  std::size_t area_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
