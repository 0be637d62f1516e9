// What a thread has to do with futures: whose worker it is, and which tasks it is running.
#pragma once

#include "tutti/futures/shared_state.h"

namespace tutti::inline TUTTI_ABI::futures {

/// A task that the calling thread is running; it runs another one inside when it waits for that.
struct Running {
  const SharedState& task;
  const Running* outer;
};
/// The innermost one, or null.
extern thread_local const Running* running;

/// A pool's thread, as it looks to a wait for a future.
class Worker {
 public:
  /// Runs `task`, if it is one of its pool's that nobody has begun.
  virtual bool run_instead(SharedState& task) noexcept = 0;
  /// Another thread may work in its place meanwhile. Throws RuntimeError when there must be one,
  /// and none can be started.
  virtual void begin_wait() = 0;
  virtual void end_wait() noexcept = 0;

 protected:
  ~Worker() = default;
};
/// The calling thread as a worker, or null.
extern thread_local Worker* current_worker;

/// Lets the calling thread, if it is a worker, be stood in for.
class StoodInFor {
 public:
  StoodInFor() {
    if (worker_ != nullptr) worker_->begin_wait();
  }
  ~StoodInFor() {
    if (worker_ != nullptr) worker_->end_wait();
  }
  StoodInFor(const StoodInFor&) = delete;
  StoodInFor& operator=(const StoodInFor&) = delete;

 private:
  Worker* const worker_ = current_worker;
};

}  // namespace tutti::inline TUTTI_ABI::futures
