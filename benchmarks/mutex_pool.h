// The pool that most programs write for themselves: one list of tasks, a mutex, a condition
// variable.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

class MutexPool {
 public:
  explicit MutexPool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  MutexPool(const MutexPool&) = delete;
  MutexPool& operator=(const MutexPool&) = delete;
  ~MutexPool() {
    {
      const std::scoped_lock held(mutex_);
      is_ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  template <typename F>
  std::future<void> submit(F function) {
    std::packaged_task<void()> task(std::move(function));
    std::future<void> future = task.get_future();
    {
      const std::scoped_lock held(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
    return future;
  }

 private:
  void work() {
    std::unique_lock held(mutex_);
    for (;;) {
      changed_.wait(held, [this] { return is_ending_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      std::packaged_task<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      held.unlock();
      task();
      held.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> tasks_;
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};
