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
  /// Another thread may work in its place until end_wait(). True if none does, since nobody is at
  /// work and nobody can be called, but there are tasks: then the caller had better help.
  virtual bool begin_wait() noexcept = 0;
  virtual void end_wait() noexcept = 0;
  /// Runs one of its pool's tasks, if it finds one.
  virtual void help() noexcept = 0;
  /// Tasks that it runs inside of waiting ones may lie on its stack too deep for another one.
  virtual bool can_help() const noexcept = 0;

 protected:
  ~Worker() = default;
};
/// The calling thread as a worker, or null.
extern thread_local Worker* current_worker;

/// What run_guarded() is to do when a thread is cancelled or exits in code of the user's that runs
/// in a thread of ours; what calls that is noexcept, so that the program ends then.
void refuse_thread_exit(void* argument);

/// Has another thread stand in for the calling one, if that is a worker, as long as this lives.
class StandIn {
 public:
  StandIn() noexcept
      : worker_(current_worker), is_missing_(worker_ != nullptr && worker_->begin_wait()) {}
  ~StandIn() {
    if (worker_ != nullptr) worker_->end_wait();
  }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  /// Tasks of the caller's pool depend on the caller alone, and it can do something about it.
  bool is_missing() const noexcept { return is_missing_ && worker_->can_help(); }

 private:
  Worker* const worker_;
  const bool is_missing_;
};

}  // namespace tutti::inline TUTTI_ABI::futures
