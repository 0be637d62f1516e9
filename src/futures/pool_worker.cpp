// What a thread of a pool does all day.
#include <string>
#include <utility>

#include "futures/thread_pool.h"
#include "runtime/spin.h"
#include "runtime/trace.h"

namespace tutti::inline TUTTI_ABI::futures {

void PoolWorker::live() noexcept {
  {
    const threading::Thread thread = threading::current_thread();
    const platform::Operation operation("enter", &pool_);
    const runtime::GuardHolder held(pool_.guard_);
    self_ = &runtime::self();
    thread_ = thread;
  }
  current_worker = this;
  if (pool_.initializer_) {
    platform::run_guarded([](void* pool) { static_cast<ThreadPool*>(pool)->initializer_(); },
                          [](void* pool) { static_cast<ThreadPool*>(pool)->break_down(); },
                          refuse_thread_exit, &pool_);
  }
  do {
    while (SharedState* task = begin_next()) {
      pool_.run(*task);
      task->release();
      // The task has forked, and this is the child: the pool is the parent's.
      if (current_worker == nullptr) return;
    }
  } while (look_around() || pool_.rest(*this));
  current_worker = nullptr;
}

// The next task to run, or null: then it looks for one, unless more are at work than may be.
SharedState* PoolWorker::begin_next() noexcept {
  const platform::Operation operation("next task", &pool_);
  if (pool_.permits_.load(platform::relaxed) < 0) {
    give_up_looking();
    return nullptr;
  }
  SharedState* task = claim_next();
  if (task == nullptr) begin_to_look();
  return task;
}

// Those that were cancelled or begun by others are dropped on the way.
SharedState* PoolWorker::claim_next() noexcept {
  while (SharedState* task = find()) {
    stop_looking();
    if (task->claim()) return task;
    task->release();
  }
  return nullptr;
}

SharedState* PoolWorker::find() noexcept {
  constexpr unsigned looks_between_submitted_tasks = 61;
  if (++looks_ % looks_between_submitted_tasks == 0) {
    if (SharedState* task = pool_.submitted_.take()) return task;
  }
  if (SharedState* task = deque_.pop()) return task;
  if (SharedState* task = pool_.submitted_.take()) return task;
  return pool_.steal(this);
}

void PoolWorker::begin_to_look() noexcept {
  if (std::exchange(is_looking_, true)) return;
  pool_.looking_.fetch_add(1, platform::seq_cst);
}

// Somebody may be about to submit the next one.
bool PoolWorker::look_around() noexcept {
  const runtime::trace::Wait traced(runtime::WaitKind::work, &pool_);
  return platform::can_spin && is_looking_ &&
         runtime::spin<runtime::Looks::steady>(&pool_, platform::never,
                                               [this] { return pool_.has_work(); });
}

void PoolWorker::give_up_looking() noexcept {
  if (std::exchange(is_looking_, false)) pool_.looking_.fetch_sub(1, platform::seq_cst);
}

// It has found a task. If nobody else looks, somebody should look for the next one.
void PoolWorker::stop_looking() noexcept {
  if (!std::exchange(is_looking_, false)) return;
  if (pool_.looking_.fetch_sub(1, platform::seq_cst) == 1 &&
      pool_.permits_.load(platform::seq_cst) > 0 && pool_.has_work()) {
    pool_.offer_work();
  }
}

bool PoolWorker::run_instead(SharedState& task) noexcept {
  if (task.pool() != &pool_) return false;
  bool is_taken;
  bool is_claimed;
  {
    const platform::Operation operation("Future.result", &task);
    if (task.phase() != SharedState::Phase::pending) return operation.saw(false);
    is_taken = take_out_of_deque(task);
    is_claimed = task.claim();
  }
  if (is_claimed) pool_.run(task);
  if (is_taken) task.release();
  return is_claimed;
}

// Tasks that were run by those who waited for them are still in the deque: lest they pile up there,
// those at its bottom are dropped on the way. True if the task was found, and then it is out.
bool PoolWorker::take_out_of_deque(SharedState& task) noexcept {
  while (SharedState* newest = deque_.pop()) {
    if (newest == &task) return true;
    if (newest->phase() == SharedState::Phase::pending) {
      // There is room for it. It was out of sight for a moment, so somebody may be needed.
      deque_.push(newest);
      pool_.offer_work();
      return false;
    }
    newest->release();
  }
  return false;
}

bool PoolWorker::begin_wait() noexcept {
  const platform::Operation operation("wait", &pool_);
  pool_.waiting_.fetch_add(1, platform::seq_cst);
  const int permits = pool_.permits_.fetch_add(1, platform::seq_cst) + 1;
  // Those who are at work come to the tasks, or look here themselves before they wait.
  return pool_.has_work() && !pool_.offer_work() && permits >= static_cast<int>(pool_.max_workers_);
}

void PoolWorker::end_wait() noexcept {
  const platform::Operation operation("go on", &pool_);
  pool_.permits_.fetch_sub(1, platform::seq_cst);
  pool_.waiting_.fetch_sub(1, platform::seq_cst);
}

void PoolWorker::help() noexcept {
  SharedState* task;
  {
    const platform::Operation operation("next task", &pool_);
    task = claim_next();
  }
  if (task == nullptr) return;
  ++helping_;
  pool_.run(*task);
  --helping_;
  task->release();
}

}  // namespace tutti::inline TUTTI_ABI::futures
