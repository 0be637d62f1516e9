// The queues that are measured against each other, behind one interface: put() and get(), which
// wait while there is no room and no item.
//
// Two can do less than the others and are there to show what that is worth. moodycamel's has no
// limit and keeps the order of each producer only, not of all. boost's can't wait, so that whoever
// has to wait spins here, and holds only what can be copied bit by bit.
#pragma once

#include <tbb/concurrent_queue.h>

#include <boost/lockfree/queue.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <concurrentqueue/blockingconcurrentqueue.h>

#include "tutti/queue.h"

template <typename Item, int capacity>
class Tutti {
 public:
  void put(Item item) { queue_.put(std::move(item)); }
  Item get() { return queue_.get(); }

 private:
  tutti::queue::Queue<Item> queue_{capacity};
};

template <typename Item, int capacity>
class MutexAndConditions {
 public:
  void put(Item item) {
    std::unique_lock held(mutex_);
    not_full_.wait(held, [this] { return items_.size() < capacity; });
    items_.push_back(std::move(item));
    held.unlock();
    not_empty_.notify_one();
  }
  Item get() {
    std::unique_lock held(mutex_);
    not_empty_.wait(held, [this] { return !items_.empty(); });
    Item item = std::move(items_.front());
    items_.pop_front();
    held.unlock();
    not_full_.notify_one();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::deque<Item> items_;
};

template <typename Item, int capacity>
class TbbBounded {
 public:
  TbbBounded() { queue_.set_capacity(capacity); }
  void put(Item item) { queue_.push(std::move(item)); }
  Item get() {
    Item item{};
    queue_.pop(item);
    return item;
  }

 private:
  tbb::concurrent_bounded_queue<Item> queue_;
};

template <typename Item>
class MoodycamelBlocking {
 public:
  void put(Item item) { queue_.enqueue(std::move(item)); }
  Item get() {
    Item item{};
    queue_.wait_dequeue(item);
    return item;
  }

 private:
  moodycamel::BlockingConcurrentQueue<Item> queue_;
};

template <typename Item, int capacity>
class BoostLockfree {
 public:
  void put(const Item& item) {
    while (!queue_.push(item)) std::this_thread::yield();
  }
  Item get() {
    Item item{};
    while (!queue_.pop(item)) std::this_thread::yield();
    return item;
  }

 private:
  boost::lockfree::queue<Item, boost::lockfree::fixed_sized<true>> queue_{capacity};
};
