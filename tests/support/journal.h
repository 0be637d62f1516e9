// What workers write down for the test to read.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <type_traits>
#include <vector>

namespace tests {

/// A list that workers append to. It has no part in what is tested: it uses nothing of the library,
/// and works in memory that processes share.
template <typename T>
requires std::is_trivially_copyable_v<T>
class Journal {
 public:
  void add(T value) {
    const Held held(busy_);
    if (size_ == entries_.size()) std::abort();
    entries_[size_++] = value;
  }

  std::size_t size() const {
    const Held held(busy_);
    return size_;
  }

  std::vector<T> entries() const {
    const Held held(busy_);
    const auto end = std::next(entries_.begin(), static_cast<std::ptrdiff_t>(size_));
    return std::vector<T>(entries_.begin(), end);
  }

  std::vector<T> sorted() const {
    std::vector<T> all = entries();
    std::sort(all.begin(), all.end());
    return all;
  }

  std::size_t count(T value) const {
    const std::vector<T> all = entries();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), value));
  }

 private:
  class Held {
   public:
    explicit Held(std::atomic_flag& busy) : busy_(busy) {
      while (busy_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    ~Held() { busy_.clear(std::memory_order_release); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    std::atomic_flag& busy_;
  };

  mutable std::atomic_flag busy_;
  std::size_t size_ = 0;
  std::array<T, 4096> entries_{};
};

}  // namespace tests
