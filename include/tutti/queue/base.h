// What all queues have in common: waiting, counting tasks, shutting down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::queue {

/// A queue without the type of its items; see Queue for what the functions mean. What holds it
/// together stands in src/queue/core.h.
class QueueBase {
 public:
  QueueBase(const QueueBase&) = delete;
  QueueBase& operator=(const QueueBase&) = delete;

  /// The number of items at one moment during the call.
  std::size_t qsize() const noexcept;
  bool empty() const noexcept { return qsize() == 0; }
  /// True while there is no room.
  bool full() const noexcept;
  /// The largest number of items; 0 for no limit.
  std::size_t maxsize() const noexcept { return limit_ == no_limit ? 0 : limit_; }

  /// What errors and wait records call it; empty if it has no name.
  std::string name() const;
  void set_name(std::string name);

 protected:
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t limit_for(int maxsize) {
    return maxsize <= 0 ? no_limit : static_cast<std::size_t>(maxsize);
  }

  /// Whether a put and a get may touch the store at the same time.
  enum class Ends { apart, same };
  enum class Result { done, not_in_time, shut_down };
  /// Until when to wait: platform::never, or a moment of the monotonic clock; 0 for not at all.
  using Deadline = std::int64_t;

  QueueBase(std::size_t limit, Ends ends, std::string name);
  virtual ~QueueBase();

  // How the derived queue keeps its items. Called under the guard of the putters' side (push), of
  // the getters' side (pop, pop_many) or of both (the others); where the ends are the same these
  // are one. Only push() may throw, and then nothing has changed.
  virtual void push(void* item) = 0;
  virtual void pop(void* place) noexcept = 0;
  virtual void pop_many(void* places, std::size_t count) noexcept = 0;
  virtual void hand_over(void* item, void* place) noexcept = 0;
  /// Puts an item that was taken out back to where it was.
  virtual void take_back(void* item) noexcept = 0;
  /// Exchanges all items for an empty content of the same type.
  virtual void exchange_content(void* empty) noexcept = 0;

  /// Takes the item away from `item`.
  Result put_item(void* item, Deadline deadline);
  /// Brings an item to `place`.
  Result get_item(void* place, Deadline deadline);
  /// Takes as many of `count` items of `size` bytes, from `items` on, as there is room for now, and
  /// returns their number; none if the queue is shut down. Throws only if it took none.
  std::size_t put_items(void* items, std::size_t size, std::size_t count);
  /// Brings up to `most` of the items that are there now to `places`.
  std::size_t take_items(void* places, std::size_t most);
  /// Undoes a get.
  void give_back(void* item) noexcept;

  void finish_task();
  void join_tasks();
  /// With a content, which is empty, all items go there.
  void shut_down(void* content);
  bool is_shut_down() const noexcept;

  [[noreturn]] void throw_full() const;
  [[noreturn]] void throw_empty() const;
  [[noreturn]] void throw_shut_down() const;
  /// Python's rules for `block` and `timeout`. Throws ValueError for a negative one.
  static Deadline deadline_of(bool block, Timeout timeout);

 private:
  friend struct AllQueues;
  struct Core;

  static bool has_no_tasks(const void* queue) noexcept;
  /// "Queue at 0x…"
  std::string described() const;

  const std::size_t limit_;
  std::unique_ptr<Core> core_;
};

}  // namespace tutti::inline TUTTI_ABI::queue
