// The flavours for which the suites run here: the primitives that processes share, used by threads
// of one process, and by processes.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "suites/flavours.h"
#include "support/forked.h"
#include "support/sanitizer.h"
#include "tutti/multiprocessing/barrier.h"
#include "tutti/multiprocessing/condition.h"
#include "tutti/multiprocessing/event.h"
#include "tutti/multiprocessing/lock.h"
#include "tutti/multiprocessing/rlock.h"
#include "tutti/multiprocessing/semaphore.h"

namespace tests {

/// A worker that is a child of the test's process.
class ProcessWorker {
 public:
  /// Starts it.
  explicit ProcessWorker(std::function<void()> work);
  ~ProcessWorker();
  ProcessWorker(const ProcessWorker&) = delete;
  ProcessWorker& operator=(const ProcessWorker&) = delete;

  /// What its main thread is doing now.
  Phase phase() const;
  /// Waits for its end. The program aborts if it does not come: see until().
  void join();
  /// The text of the exception that ended it; empty if there was none. To be asked after join().
  const std::string& failure() const { return failure_; }

 private:
  struct Told {
    std::atomic<bool> is_done{false};
    std::array<char, 400> failure{};
  };

  std::shared_ptr<Told> told_;
  Forked process_;
  bool is_joined_ = false;
  std::string failure_;
};

/// The primitives of tutti::multiprocessing.
struct Shareable {
  using Lock = tutti::multiprocessing::Lock;
  using RLock = tutti::multiprocessing::RLock;
  using Condition = tutti::multiprocessing::Condition;
  using Semaphore = tutti::multiprocessing::Semaphore;
  using BoundedSemaphore = tutti::multiprocessing::BoundedSemaphore;
  using Event = tutti::multiprocessing::Event;
  using Barrier = tutti::multiprocessing::Barrier;
};

struct AmongThreads : Shareable {
  using Worker = ThreadWorker;
  static constexpr const char* name = "AmongThreads";

  template <typename T, typename... Args>
  static std::shared_ptr<T> make(Args&&... args) {
    return std::make_shared<T>(std::forward<Args>(args)...);
  }
};

struct AmongProcesses : Shareable {
  using Worker = ProcessWorker;
  static constexpr const char* name = "AmongProcesses";

  /// What a fork's child finds at the same address: handles are copied, the rest is shared.
  template <typename T, typename... Args>
  static std::shared_ptr<T> make(Args&&... args) {
    if constexpr (std::is_base_of_v<tutti::multiprocessing::SharedObject, T>) {
      return std::make_shared<T>(std::forward<Args>(args)...);
    } else {
      return make_shared_with_children<T>(std::forward<Args>(args)...);
    }
  }
};

}  // namespace tests
