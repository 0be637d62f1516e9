// queue::Queue and its relatives.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tutti/queue/basic_queue.h"
#include "tutti/queue/orders.h"
#include "tutti/queue/segments.h"

namespace tutti::inline TUTTI_ABI::queue {

/// A queue that any number of threads put items into and get items out of, first in, first out.
///
///     queue::Queue<std::string> names(100);        // at most 100 at a time; 0 or less: no limit
///     names.put("Ann");                            // waits while it is full
///     std::string name = names.get();              // waits while it is empty
///     for (std::string& next : names.items()) …    // until names.shutdown()
///
/// Linearizable. Threads that wait longer than a short spin are served first come, first served.
/// With a `name`, errors and wait records call it by that: "Queue 'jobs'".
///
/// Items are moved, so they may be move-only. Whatever an operation throws, no item is lost, and
/// none is there twice. Items whose move constructor may throw are kept in boxes: an allocation
/// each, made before the queue is touched, and a second copy or move when they are got (a copy if
/// they can be copied; those that can't have no try_put, put_many and get_many). An item that a
/// get fails to hand over goes back to its place, which for that moment may make one more than
/// `maxsize`.
///
/// Thread-safe; destroy it only while no thread uses it. Python: queue.Queue.
template <typename T>
class Queue : public BasicQueue<T, FirstInFirstOut<Kept<T>>> {
 public:
  explicit Queue(int maxsize = 0, std::string name = {})
      : BasicQueue<T, FirstInFirstOut<Kept<T>>>(maxsize, std::move(name)) {}
};

/// A queue that gives out first what was put in last. Python: queue.LifoQueue.
template <typename T>
class LifoQueue : public BasicQueue<T, LastInFirstOut<Kept<T>>> {
 public:
  explicit LifoQueue(int maxsize = 0, std::string name = {})
      : BasicQueue<T, LastInFirstOut<Kept<T>>>(maxsize, std::move(name)) {}
};

/// A queue that gives out the lowest item first, of equal ones any. `Less` must not throw.
/// Python: queue.PriorityQueue.
template <typename T, typename Less = std::less<T>>
class PriorityQueue : public BasicQueue<T, LowestFirst<KeptInHeap<T>, Less>> {
 public:
  explicit PriorityQueue(int maxsize = 0, Less less = Less(), std::string name = {})
      : BasicQueue<T, LowestFirst<KeptInHeap<T>, Less>>(maxsize, std::move(name), std::move(less)) {
  }
};

/// A queue without limit, tasks and shutdown. Python: queue.SimpleQueue.
template <typename T>
class SimpleQueue {
 public:
  explicit SimpleQueue(std::string name = {}) : queue_(0, std::move(name)) {}

  /// `block` and `timeout` are there for the sake of Queue's interface: it never waits.
  void put(T item, bool /*block*/ = true, Timeout /*timeout*/ = forever) {
    queue_.put(std::move(item));
  }
  void put_nowait(T item) { queue_.put(std::move(item)); }
  /// As Queue::put_many.
  void put_many(std::vector<T>& items) { queue_.put_many(items); }
  void put_many(std::vector<T>&& items) { queue_.put_many(items); }
  /// As Queue::get.
  T get(bool block = true, Timeout timeout = forever) { return queue_.get(block, timeout); }
  T get_nowait() { return queue_.get_nowait(); }
  std::optional<T> try_get(Timeout timeout = 0) { return queue_.try_get(timeout); }
  /// As Queue::get_many.
  std::vector<T> get_many(std::size_t most, bool block = true, Timeout timeout = forever) {
    return queue_.get_many(most, block, timeout);
  }
  std::size_t qsize() const { return queue_.qsize(); }
  bool empty() const { return queue_.empty(); }

  std::string name() const { return queue_.name(); }
  void set_name(std::string name) { queue_.set_name(std::move(name)); }

 private:
  Queue<T> queue_;
};

}  // namespace tutti::inline TUTTI_ABI::queue
