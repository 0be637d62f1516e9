// What Queue, JoinableQueue and SimpleQueue have in common, with the type of their items.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tutti/errors.h"
#include "tutti/multiprocessing/queue_base.h"
#include "tutti/multiprocessing/record.h"
#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A queue of items that processes put in and get out; see Queue.
template <typename T>
class BasicQueue : public QueueBase {
 public:
  using value_type = T;

  /// Puts `item` in: other processes can get it when this returns, whatever becomes of the caller.
  /// While there is no room it waits if `block`, at most for `timeout`. Throws queue::Full if there
  /// was none, queue::ShutDown once the queue is shut down, ValueError for a negative timeout, for
  /// an item that is too large and once it is closed, KeyboardInterrupt in an interrupted main
  /// thread, RuntimeError for an item that owns a descriptor; whenever it throws, the queue has not
  /// changed.
  ///
  /// A thread that is stopped in the middle of its put keeps others from theirs, room or not. They
  /// throw queue::Full, too, which names it: at the end of `timeout`, or after a second if they do
  /// not block.
  void put(const T& item, bool block = true, Timeout timeout = forever) {
    check_put(offer(item, deadline_of(block, timeout)));
  }
  void put_nowait(const T& item) { check_put(offer(item, 0)); }
  /// The same without Full: false if it was not put in time.
  bool try_put(const T& item, Timeout timeout = 0) {
    const Result result = offer(item, deadline_of(true, timeout));
    if (result == Result::shut_down) throw_shut_down();
    return result == Result::done;
  }
  /// Puts all of `items` in, in their order, as many at a time as there is room for, and leaves
  /// `items` empty. Others may put theirs in between. Waits and throws as put() does: then those
  /// that got in are missing in `items`, and the others remain.
  void put_many(std::vector<T>& items, bool block = true, Timeout timeout = forever) {
    const Deadline deadline = deadline_of(block, timeout);
    std::size_t put = 0;
    try {
      while (put < items.size()) put += offer_many(items, put, deadline);
    } catch (...) {
      items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(put));
      throw;
    }
    items.clear();
  }
  void put_many(std::vector<T>&& items, bool block = true, Timeout timeout = forever) {
    put_many(items, block, timeout);
  }

  /// Takes an item out. While there is none it waits if `block`, at most for `timeout`. Throws
  /// queue::Empty if there was none, queue::ShutDown once the queue is shut down and empty,
  /// ValueError for a negative timeout, once it is closed, and for an item that is none of a T's
  /// (which is gone then), KeyboardInterrupt in an interrupted main thread. When there is no memory
  /// for it the item stays where it is, unless its type has a tutti_serialize. A thread that is
  /// stopped in the middle of its get keeps others from theirs, as with put(); they throw
  /// queue::Empty, which names it.
  T get(bool block = true, Timeout timeout = forever) {
    std::optional<T> item;
    check_get(take_into(item, deadline_of(block, timeout)));
    return *std::move(item);
  }
  T get_nowait() { return get(false); }
  /// The same without Empty: nothing if it got none in time.
  std::optional<T> try_get(Timeout timeout = 0) {
    std::optional<T> item;
    const Result result = take_into(item, deadline_of(true, timeout));
    if (result == Result::shut_down) throw_shut_down();
    return item;
  }
  /// Takes up to `most` items out, at least one: waits for the first as get() does, and throws as
  /// it does, but does not wait for more. Without `most` there is nothing to wait for.
  std::vector<T> get_many(std::size_t most, bool block = true, Timeout timeout = forever) {
    const Deadline deadline = deadline_of(block, timeout);
    std::vector<T> items;
    if (most == 0) return items;
    if constexpr (records::takes_detour<T>) {
      std::vector<std::vector<std::byte>> records;
      const auto copy = [](void* place, std::span<const std::byte> bytes) {
        static_cast<std::vector<std::vector<std::byte>>*>(place)->emplace_back(bytes.begin(),
                                                                               bytes.end());
      };
      check_get(get_items({&records, copy}, most, deadline));
      for (const auto& record : records) items.push_back(records::unpack_from<T>(record));
    } else {
      const auto append = [](void* place, std::span<const std::byte> bytes) {
        static_cast<std::vector<T>*>(place)->push_back(records::unpack_from<T>(bytes));
      };
      check_get(get_items({&items, append}, most, deadline));
    }
    return items;
  }

 protected:
  using QueueBase::QueueBase;

  /// As Queue::items().
  class Items;

 private:
  static Packing packing_of(const T& item) {
    return {pickle::packed_size(item), &item, [](const void* packed, std::span<std::byte> room) {
              records::pack_into(room, *static_cast<const T*>(packed));
            }};
  }

  Result offer(const T& item, Deadline deadline) {
    if constexpr (records::takes_detour<T>) {
      records::Buffer buffer;
      records::pack_into(buffer.resize(pickle::packed_size(item)), item);
      const auto copy = [](const void* bytes, std::span<std::byte> room) {
        std::memcpy(room.data(), bytes, room.size());
      };
      return put_item({buffer.bytes().size(), buffer.bytes().data(), copy}, deadline);
    } else {
      return put_item(packing_of(item), deadline);
    }
  }

  // The number of those that got in.
  std::size_t offer_many(std::vector<T>& items, std::size_t from, Deadline deadline) {
    if constexpr (records::takes_detour<T> || std::is_same_v<T, bool>) {
      check_put(offer(items[from], deadline));
      return 1;
    } else {
      const auto packing = [](void* first, std::size_t index) {
        return packing_of(static_cast<const T*>(first)[index]);
      };
      return put_items(items.data() + from, items.size() - from, packing, deadline);
    }
  }

  void check_put(Result result) const {
    if (result == Result::not_in_time) throw_full();
    if (result == Result::busy) throw_busy_putting();
    if (result == Result::shut_down) throw_shut_down();
  }
  void check_get(Result result) const {
    if (result == Result::not_in_time) throw_empty();
    if (result == Result::busy) throw_busy_getting();
    if (result == Result::shut_down) throw_shut_down();
  }

  Result take_into(std::optional<T>& item, Deadline deadline) {
    if constexpr (records::takes_detour<T>) {
      records::Buffer buffer;
      const auto copy = [](void* place, std::span<const std::byte> bytes) {
        const std::span<std::byte> room =
            static_cast<records::Buffer*>(place)->resize(bytes.size());
        if (!bytes.empty()) std::memcpy(room.data(), bytes.data(), bytes.size());
      };
      const Result result = get_item({&buffer, copy}, deadline);
      if (result == Result::done) item.emplace(records::Unpacked<T>{buffer.bytes()});
      return result;
    } else {
      const auto unpack = [](void* place, std::span<const std::byte> bytes) {
        static_cast<std::optional<T>*>(place)->emplace(records::Unpacked<T>{bytes});
      };
      return get_item({&item, unpack}, deadline);
    }
  }
};

template <typename T>
class BasicQueue<T>::Items {
 public:
  struct End {};
  class Iterator {
   public:
    explicit Iterator(BasicQueue& queue) : queue_(&queue) { ++*this; }
    T& operator*() { return *item_; }
    Iterator& operator++() {
      item_.reset();
      // What it comes to is seen from whether there is an item.
      queue_->take_into(item_, deadline_of(true, forever));
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

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
