// A worker: something that runs at the same time as the test and uses the primitives.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tutti/threading/thread.h"

namespace tests {

using tutti::threading::Phase;

/// What the workers of this program are: by the environment variable TUTTI_TEST_WORKERS.
enum class WorkerKind {
  /// Each a threading::Thread; the default.
  threads,
  /// The same, daemonic ("daemons"): they pass a gate at every call, and so take none of the short
  /// ways.
  daemons,
  /// Each a std::thread ("foreign"), of which the library learns by its first call only.
  foreign,
};
WorkerKind worker_kind();

class ThreadWorker {
 public:
  /// Starts it.
  explicit ThreadWorker(std::function<void()> work);
  ~ThreadWorker();
  ThreadWorker(const ThreadWorker&) = delete;
  ThreadWorker& operator=(const ThreadWorker&) = delete;

  /// What it is doing now.
  Phase phase() const;
  /// Waits for its end. The program aborts if it does not come: see until().
  void join();
  /// The text of the exception that ended it; empty if there was none. To be asked after join().
  const std::string& failure() const { return task_->failure; }

 private:
  struct Task {
    explicit Task(std::function<void()> does) : work(std::move(does)) {}
    void run() noexcept;

    std::function<void()> work;
    std::string failure;
    std::atomic<std::uint64_t> ident{0};
    std::atomic<bool> is_done{false};
  };

  std::shared_ptr<Task> task_;
  std::optional<tutti::threading::Thread> thread_;
  std::thread foreign_;
};

}  // namespace tests
