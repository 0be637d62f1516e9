// multiprocessing::SimpleQueue: put, get, empty.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tutti/multiprocessing/queue.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A Queue without limit, tasks and shutdown. Python: multiprocessing.SimpleQueue.
template <typename T>
class SimpleQueue {
 public:
  using value_type = T;

  /// Throws OSError when no descriptor or memory is left.
  explicit SimpleQueue(std::string name = {}) : queue_(0, std::move(name)) {}

  /// As Queue::put().
  void put(const T& item) { queue_.put(item); }
  void put_many(std::vector<T>& items) { queue_.put_many(items); }
  void put_many(std::vector<T>&& items) { queue_.put_many(items); }
  /// As Queue::get().
  T get() { return queue_.get(); }
  std::optional<T> try_get(Timeout timeout = 0) { return queue_.try_get(timeout); }
  std::vector<T> get_many(std::size_t most) { return queue_.get_many(most); }
  std::size_t qsize() const noexcept { return queue_.qsize(); }
  bool empty() const noexcept { return queue_.empty(); }
  /// As Queue::close().
  void close() noexcept { queue_.close(); }

  std::string name() const { return queue_.name(); }
  void set_name(std::string name) { queue_.set_name(std::move(name)); }

  friend bool operator==(const SimpleQueue& one, const SimpleQueue& other) noexcept = default;

  template <class Archive>
  static void tutti_serialize(Archive& archive, SimpleQueue& queue) {
    archive(queue.queue_);
  }

 private:
  Queue<T> queue_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
