// What Queue, LifoQueue and PriorityQueue have in common, with the type of their items.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/errors.h"
#include "tutti/queue/base.h"
#include "tutti/queue/boxed.h"

namespace tutti::inline TUTTI_ABI::queue {

/// A queue of items that threads put in and get out, in the order that `Store` keeps; see Queue.
///
/// `Store` keeps `Store::Item`, which is T or Boxed<T>, whose moves don't throw. It has
/// push(Item&&), which may throw if it changes nothing then, and pop(use), which calls `use` with
/// the item that is next.
template <typename T, typename Store>
class BasicQueue : public QueueBase {
  using Item = typename Store::Item;
  static constexpr bool is_boxed = !std::is_same_v<Item, T>;
  // Whether an item that has been boxed, or taken out of its box, may stay where it was as well.
  static constexpr bool can_stay = !is_boxed || std::is_copy_constructible_v<T>;

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
  bool try_put(T& item, Timeout timeout = 0) requires can_stay {
    const Result result = offer(item, deadline_of(true, timeout));
    if (result == Result::shut_down) throw_shut_down();
    return result == Result::done;
  }
  /// Puts all of `items` in, in their order, as many at a time as there is room for, and leaves
  /// `items` empty. Others may put theirs in between. Waits and throws as put() does: then those
  /// that got in are missing in `items`, and the others remain.
  void put_many(std::vector<T>& items, bool block = true,
                Timeout timeout = forever) requires can_stay {
    const Deadline deadline = deadline_of(block, timeout);
    std::size_t put = 0;
    try {
      while (put < items.size()) {
        if constexpr (!is_boxed && !std::is_same_v<T, bool>) {
          put += put_items(items.data() + put, sizeof(T), items.size() - put);
          if (put == items.size()) break;
        }
        check_put(offer(items[put], deadline));
        ++put;
      }
    } catch (...) {
      items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(put));
      throw;
    }
    items.clear();
  }
  void put_many(std::vector<T>&& items, bool block = true,
                Timeout timeout = forever) requires can_stay {
    put_many(items, block, timeout);
  }

  /// Takes an item out. While there is none it waits if `block`, at most for `timeout`. Throws
  /// Empty if there was none, ShutDown once the queue is shut down and empty, ValueError for a
  /// negative timeout, KeyboardInterrupt in an interrupted main thread, and what T's constructor
  /// throws: then the item is back in its place.
  T get(bool block = true, Timeout timeout = forever) {
    std::optional<Item> item = get_until(deadline_of(block, timeout));
    if (!item) throw_empty();
    return unboxed<T>(*item);
  }
  T get_nowait() { return get(false); }
  /// The same without Empty: nothing if there was none in time.
  std::optional<T> try_get(Timeout timeout = 0) {
    std::optional<Item> item = get_until(deadline_of(true, timeout));
    if (!item) return std::nullopt;
    return unboxed<std::optional<T>>(*item);
  }
  /// Takes up to `most` items out, at least one: waits for the first as get() does, and throws as
  /// it does, but does not wait for more. Without `most` there is nothing to wait for.
  std::vector<T> get_many(std::size_t most, bool block = true,
                          Timeout timeout = forever) requires can_stay {
    const Deadline deadline = deadline_of(block, timeout);
    std::vector<Item> items;
    if (most > 0) {
      // Room for all that will be taken comes first, so that nothing can fail after it was.
      items.reserve(std::min(most, std::max<std::size_t>(qsize(), 32)));
      if (take_items(&items, std::min(most, items.capacity())) == 0) {
        std::optional<Item> first = get_until(deadline);
        if (!first) throw_empty();
        items.push_back(*std::move(first));
        take_items(&items, std::min(most, items.capacity()) - 1);
      }
    }
    if constexpr (is_boxed) {
      return all_unboxed(items);
    } else {
      return items;
    }
  }

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
    Content dropped{store_.emptied(), {}};
    shut_down(&dropped);
  }
  bool is_shutdown() const noexcept { return is_shut_down(); }

  /// The items one after the other, until the queue is shut down and empty:
  ///     for (Job& job : jobs.items()) work(job);
  class Items;
  Items items() { return Items(*this); }

 protected:
  template <typename... Arguments>
  BasicQueue(int maxsize, std::string name, Arguments&&... for_the_store)
      : QueueBase(limit_for(maxsize), Store::ends_are_apart ? Ends::apart : Ends::same,
                  std::move(name)),
        store_(std::forward<Arguments>(for_the_store)...) {}

 private:
  using Back = std::conditional_t<is_boxed, Returned<T>, NothingReturned>;

  struct Content {
    Store store;
    Back returned;
  };

  // `item` is as it was unless it got in.
  Result offer(T& item, Deadline deadline) {
    if constexpr (is_boxed) {
      Item box = std::make_unique<Box<T>>(std::move_if_noexcept(item));
      return put_item(&box, deadline);
    } else {
      return put_item(&item, deadline);
    }
  }

  void put_until(T& item, Deadline deadline) { check_put(offer(item, deadline)); }

  void check_put(Result result) const {
    if (result == Result::not_in_time) throw_full();
    if (result == Result::shut_down) throw_shut_down();
  }

  std::optional<Item> get_until(Deadline deadline) {
    std::optional<Item> item;
    if (get_item(&item, deadline) == Result::shut_down) throw_shut_down();
    return item;
  }

  // As a T or std::optional<T>, made where the caller wants it.
  template <typename Wanted>
  Wanted unboxed(Item& item) {
    if constexpr (is_boxed) {
      try {
        if constexpr (std::is_same_v<Wanted, T>) {
          return Wanted(std::move_if_noexcept(item->item));
        } else {
          return Wanted(std::in_place, std::move_if_noexcept(item->item));
        }
      } catch (...) {
        give_back(&item);
        throw;
      }
    } else {
      return Wanted(std::move(item));
    }
  }

  std::vector<T> all_unboxed(std::vector<Item>& boxes) {
    std::vector<T> items;
    try {
      items.reserve(boxes.size());
      for (Item& box : boxes) items.emplace_back(std::move_if_noexcept(box->item));
    } catch (...) {
      for (std::size_t i = boxes.size(); i > 0; --i) give_back(&boxes[i - 1]);
      throw;
    }
    return items;
  }

  template <typename Use>
  void pop_next(Use use) noexcept {
    if constexpr (is_boxed) {
      const auto mark_and_use = [&](Item&& box) {
        returned_.mark(box);
        use(std::move(box));
      };
      if (!returned_.is_empty()) return mark_and_use(returned_.take());
      store_.pop(mark_and_use);
    } else {
      store_.pop(use);
    }
  }

  void push(void* item) final { store_.push(std::move(*static_cast<Item*>(item))); }
  void pop(void* place) noexcept final {
    pop_next([place](Item&& item) {
      static_cast<std::optional<Item>*>(place)->emplace(std::move(item));
    });
  }
  void pop_many(void* places, std::size_t count) noexcept final {
    auto& items = *static_cast<std::vector<Item>*>(places);
    for (; count > 0; --count) {
      pop_next([&items](Item&& item) { items.push_back(std::move(item)); });
    }
  }
  void hand_over(void* item, void* place) noexcept final {
    auto& given = *static_cast<Item*>(item);
    if constexpr (is_boxed) returned_.mark(given);
    static_cast<std::optional<Item>*>(place)->emplace(std::move(given));
  }
  void take_back(void* item) noexcept final {
    if constexpr (is_boxed) returned_.insert(std::move(*static_cast<Item*>(item)));
  }
  void exchange_content(void* empty) noexcept final {
    auto& other = *static_cast<Content*>(empty);
    store_.swap(other.store);
    returned_.swap(other.returned);
  }

  Store store_;
  [[no_unique_address]] Back returned_;
};

template <typename T, typename Store>
class BasicQueue<T, Store>::Items {
 public:
  struct End {};
  class Iterator {
   public:
    explicit Iterator(BasicQueue& queue) : queue_(&queue) { ++*this; }
    T& operator*() {
      if constexpr (is_boxed) {
        return (*item_)->item;
      } else {
        return *item_;
      }
    }
    Iterator& operator++() {
      item_.reset();
      // What it comes to is seen from whether there is an item.
      queue_->get_item(&item_, deadline_of(true, forever));
      return *this;
    }
    bool operator==(End) const noexcept { return !item_; }

   private:
    BasicQueue* queue_;
    std::optional<Item> item_;
  };

  explicit Items(BasicQueue& queue) : queue_(&queue) {}
  Iterator begin() { return Iterator(*queue_); }
  End end() const noexcept { return {}; }

 private:
  BasicQueue* queue_;
};

}  // namespace tutti::inline TUTTI_ABI::queue
