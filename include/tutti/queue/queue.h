// queue::Queue and its relatives.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/errors.h"
#include "tutti/queue/base.h"
#include "tutti/queue/orders.h"
#include "tutti/queue/segments.h"

namespace tutti::inline TUTTI_ABI::queue {

/// A queue of items that threads put in and get out, in the order that `Store` keeps; see Queue.
///
/// `Store` has push(T&&), which may throw if it changes nothing then, and pop(use), which calls
/// `use` with the item that is next.
template <typename T, typename Store>
class BasicQueue : public QueueBase {
  static_assert(
      std::is_nothrow_move_constructible_v<T>,
      "an item is moved in and out while it must not get lost, so its move constructor must "
      "be noexcept: put it in a std::unique_ptr");

 public:
  using value_type = T;

  /// Puts `item` in. While there is no room it waits if `block`, at most for `timeout`. Throws Full
  /// if there was none, ShutDown once the queue is shut down, ValueError for a negative timeout,
  /// KeyboardInterrupt in an interrupted main thread; whenever it throws, the queue has not
  /// changed.
  void put(T item, bool block = true, Timeout timeout = forever) {
    put_until(item, deadline_of(block, timeout));
  }
  void put_nowait(T item) { put_until(item, 0); }
  /// The same without Full: false, and `item` is as it was, if there was no room in time.
  bool try_put(T& item, Timeout timeout = 0) {
    const Result result = put_item(&item, deadline_of(true, timeout));
    if (result == Result::shut_down) throw_shut_down();
    return result == Result::done;
  }

  /// Takes an item out. While there is none it waits if `block`, at most for `timeout`. Throws
  /// Empty if there was none, ShutDown once the queue is shut down and empty, ValueError for a
  /// negative timeout, KeyboardInterrupt in an interrupted main thread.
  T get(bool block = true, Timeout timeout = forever) {
    std::optional<T> item = get_until(deadline_of(block, timeout));
    if (!item) throw_empty();
    return *std::move(item);
  }
  T get_nowait() { return get(false); }
  /// The same without Empty: nothing if there was none in time.
  std::optional<T> try_get(Timeout timeout = 0) { return get_until(deadline_of(true, timeout)); }

  /// Says that an item that was got has been worked on, for join(). Throws ValueError when that is
  /// said more often than items were put.
  void task_done() { finish_task(); }
  /// Waits until task_done() was called for every item put so far. Throws KeyboardInterrupt in an
  /// interrupted main thread.
  void join() { join_tasks(); }

  /// From now on put() throws, and get() throws once the queue is empty; threads that wait are let
  /// go. With `immediate` what is in it is dropped, and join() returns.
  void shutdown(bool immediate = false) {
    if (!immediate) return shut_down(nullptr);
    Store dropped(store_.emptied());
    shut_down(&dropped);
  }
  bool is_shutdown() const noexcept { return is_shut_down(); }

  /// The items one after the other, until the queue is shut down and empty:
  ///     for (Job job : jobs.items()) work(job);
  class Items;
  Items items() { return Items(*this); }

 protected:
  template <typename... Arguments>
  explicit BasicQueue(int maxsize, Arguments&&... for_the_store)
      : QueueBase(limit_for(maxsize), Store::ends_are_apart ? Ends::apart : Ends::same),
        store_(std::forward<Arguments>(for_the_store)...) {}

 private:
  void put_until(T& item, Deadline deadline) {
    switch (put_item(&item, deadline)) {
      case Result::done:
        return;
      case Result::not_in_time:
        throw_full();
      case Result::shut_down:
        throw_shut_down();
    }
  }

  std::optional<T> get_until(Deadline deadline) {
    std::optional<T> item;
    if (get_item(&item, deadline) == Result::shut_down) throw_shut_down();
    return item;
  }

  void push(void* item) final { store_.push(std::move(*static_cast<T*>(item))); }
  void pop(void* place) noexcept final {
    store_.pop(
        [place](T&& item) { static_cast<std::optional<T>*>(place)->emplace(std::move(item)); });
  }
  void pop_many(void* places, std::size_t count) noexcept final {
    auto& items = *static_cast<std::vector<T>*>(places);
    for (; count > 0; --count) {
      store_.pop([&items](T&& item) { items.push_back(std::move(item)); });
    }
  }
  void hand_over(void* item, void* place) noexcept final {
    static_cast<std::optional<T>*>(place)->emplace(std::move(*static_cast<T*>(item)));
  }
  void exchange_store(void* empty) noexcept final { store_.swap(*static_cast<Store*>(empty)); }

  Store store_;
};

template <typename T, typename Store>
class BasicQueue<T, Store>::Items {
 public:
  struct End {};
  class Iterator {
   public:
    explicit Iterator(BasicQueue& queue) : queue_(&queue) { ++*this; }
    T& operator*() { return *item_; }
    Iterator& operator++() {
      item_.reset();
      try {
        item_.emplace(queue_->get());
      } catch (const ShutDown&) {
        // The end.
      }
      return *this;
    }
    bool operator==(End) const noexcept { return !item_; }

   private:
    BasicQueue* queue_;
    std::optional<T> item_;
  };

  explicit Items(BasicQueue& queue) : queue_(&queue) {}
  Iterator begin() { return Iterator(*queue_); }
  End end() const noexcept { return {}; }

 private:
  BasicQueue* queue_;
};

/// A queue that any number of threads put items into and get items out of, first in, first out.
///
///     queue::Queue<std::string> names(100);        // at most 100 at a time; 0 or less: no limit
///     names.put("Ann");                            // waits while it is full
///     std::string name = names.get();              // waits while it is empty
///     for (std::string next : names.items()) …     // until names.shutdown()
///
/// Linearizable. Threads that wait longer than a short spin are served first come, first served.
/// Items are moved, so they
/// may be move-only. Thread-safe; destroy it only while no thread uses it. Python: queue.Queue.
template <typename T>
class Queue : public BasicQueue<T, FirstInFirstOut<T>> {
 public:
  explicit Queue(int maxsize = 0) : BasicQueue<T, FirstInFirstOut<T>>(maxsize) {}
};

/// A queue that gives out first what was put in last. Python: queue.LifoQueue.
template <typename T>
class LifoQueue : public BasicQueue<T, LastInFirstOut<T>> {
 public:
  explicit LifoQueue(int maxsize = 0) : BasicQueue<T, LastInFirstOut<T>>(maxsize) {}
};

/// A queue that gives out the lowest item first, of equal ones any. `Less` must not throw.
/// Python: queue.PriorityQueue.
template <typename T, typename Less = std::less<T>>
class PriorityQueue : public BasicQueue<T, LowestFirst<T, Less>> {
 public:
  explicit PriorityQueue(int maxsize = 0, Less less = Less())
      : BasicQueue<T, LowestFirst<T, Less>>(maxsize, std::move(less)) {}
};

/// A queue without limit, tasks and shutdown. Python: queue.SimpleQueue.
template <typename T>
class SimpleQueue {
 public:
  /// `block` and `timeout` are there for the sake of Queue's interface: it never waits.
  void put(T item, bool /*block*/ = true, Timeout /*timeout*/ = forever) {
    queue_.put(std::move(item));
  }
  void put_nowait(T item) { queue_.put(std::move(item)); }
  /// As Queue::get.
  T get(bool block = true, Timeout timeout = forever) { return queue_.get(block, timeout); }
  T get_nowait() { return queue_.get_nowait(); }
  std::optional<T> try_get(Timeout timeout = 0) { return queue_.try_get(timeout); }
  std::size_t qsize() const { return queue_.qsize(); }
  bool empty() const { return queue_.empty(); }

 private:
  Queue<T> queue_;
};

}  // namespace tutti::inline TUTTI_ABI::queue
