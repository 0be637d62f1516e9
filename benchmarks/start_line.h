// Lets several threads go at the same moment.
#pragma once

#include <atomic>
#include <thread>

/// Each runner calls wait(), and goes on when the starter, after wait_for_all(), calls open(). It
/// spins, so that nobody is still waking up when the clock runs.
class StartLine {
 public:
  explicit StartLine(int runners) : missing_(runners) {}

  void wait() {
    missing_.fetch_sub(1);
    while (!open_.load(std::memory_order_acquire)) std::this_thread::yield();
  }

  void wait_for_all() const {
    while (missing_.load() > 0) std::this_thread::yield();
  }
  void open() { open_.store(true, std::memory_order_release); }

 private:
  std::atomic<int> missing_;
  std::atomic<bool> open_{false};
};
