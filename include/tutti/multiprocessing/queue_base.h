// What the queues of processes have in common: waiting, closing, counting tasks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tutti/multiprocessing/segment.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A queue without the type of its items; see Queue for what the functions mean. A handle: copies
/// are the same queue. What holds it together stands in src/multiprocessing/ring.h.
class QueueBase {
 public:
  /// The number of items at one moment during the call.
  std::size_t qsize() const noexcept;
  bool empty() const noexcept { return qsize() == 0; }
  /// True while there are as many items as there may be. A queue may have no room before, for
  /// its share of the machine's memory is used up.
  bool full() const noexcept;
  /// The largest number of items; 0 for no limit.
  std::size_t maxsize() const noexcept;

  /// What errors and wait records call it; empty if it has no name.
  std::string name() const;
  /// For this process, and those spawned with the queue from now on.
  void set_name(std::string name);

  /// This process has done with the queue: from now on, put and get throw ValueError here, for all
  /// copies of this handle. Other processes don't notice.
  void close() noexcept;
  /// Returns at once: Python's queue has a thread that hands items over, while here an item is
  /// where others get it once put() has returned. Throws RuntimeError before close(), as there.
  void join_thread() const;
  /// There is no thread to be left behind.
  void cancel_join_thread() const noexcept {}

  friend bool operator==(const QueueBase& one, const QueueBase& other) noexcept = default;

 protected:
  /// `not_in_time`: no room, or no item. `busy`: another thread had not finished its put, or get.
  enum class Result { done, not_in_time, busy, shut_down };
  /// Until when to wait: platform::never, or a moment of the monotonic clock; 0 for not at all.
  using Deadline = std::int64_t;

  /// Writes an item's `size` bytes into the queue. Called under the putters' lock.
  struct Packing {
    std::size_t size;
    const void* item;
    void (*pack)(const void* item, std::span<std::byte> room);
  };
  /// Reads an item's bytes from the queue. Called under the getters' lock. If it throws ValueError
  /// the item is gone all the same, for it is no item; else it stays.
  struct Unpacking {
    void* place;
    void (*unpack)(void* place, std::span<const std::byte> bytes);
  };

  /// `kind` is the name of the class, for messages.
  QueueBase(const char* kind, std::size_t limit, std::string name);
  /// One that lies in `segment`.
  QueueBase(const char* kind, Segment segment);
  ~QueueBase();
  QueueBase(const QueueBase&) noexcept;
  QueueBase& operator=(const QueueBase&) noexcept;

  static std::size_t limit_for(int maxsize);
  const Segment& segment() const noexcept;

  Result put_item(const Packing& packing, Deadline deadline);
  /// Puts as many of `count` items as there is room for at once, made by `packing(items, index)`
  /// one after the other, and returns their number: at least one if it is done in time.
  std::size_t put_items(void* items, std::size_t count,
                        Packing (*packing)(void* items, std::size_t index), Deadline deadline);
  Result get_item(const Unpacking& unpacking, Deadline deadline);
  /// Brings the items that are there, up to `most`, to `unpacking` one after the other: at least
  /// one if it is done in time. Where that throws, for another than the first, it ends before.
  Result get_items(const Unpacking& unpacking, std::size_t most, Deadline deadline);

  void finish_task();
  void join_tasks();
  void shut_down(bool immediate);
  bool is_shut_down() const noexcept;

  [[noreturn]] void throw_full() const;
  [[noreturn]] void throw_empty() const;
  /// Full and Empty, for another reason.
  [[noreturn]] void throw_busy_putting() const;
  [[noreturn]] void throw_busy_getting() const;
  [[noreturn]] void throw_shut_down() const;
  /// Python's rules for `block` and `timeout`. Throws ValueError for a negative one.
  static Deadline deadline_of(bool block, Timeout timeout);

 private:
  struct Core;

  Core& open_core() const;

  std::shared_ptr<Core> core_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
