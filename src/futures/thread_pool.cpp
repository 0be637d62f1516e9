#include "futures/thread_pool.h"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "runtime/chain.h"
#include "runtime/describe.h"
#include "runtime/waiting.h"
#include "threading/report_exception.h"
#include "threading/roster.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::futures {

namespace {

using runtime::GuardHolder;
using runtime::WaitKind;

// All pools there are, for the end of the program.
constinit runtime::Guard pools_guard;
constinit runtime::Chain<ThreadPool> pools;
constinit platform::atomic<bool> program_is_ending{false};

void before_join_of_all() noexcept {
  program_is_ending.store(true, platform::release);
  ThreadPool::shut_all_down();
}

// At the start, when no other thread could be in the middle of it while one forks.
[[maybe_unused]] const bool prepared = [] {
  runtime::self();  // The layers below come first.
  threading::roster::before_join_of_all(before_join_of_all);
  platform::around_fork({[] { pools_guard.lock(); }, [] { pools_guard.unlock(); },
                         [] {
                           // The pools are the parent's; and so is the calling thread's work.
                           pools_guard.reset();
                           pools = {};
                           current_worker = nullptr;
                         }});
  platform::on_restart([] {
    pools_guard.reset();
    pools = {};
  });
  return true;
}();

}  // namespace

ThreadPool::ThreadPool(std::size_t max_workers, std::string name, std::function<void()> initializer)
    : max_workers_(max_workers),
      most_threads_(2 * static_cast<int>(max_workers)),
      name_(std::move(name)),
      initializer_(std::move(initializer)),
      process_(platform::process_id()),
      permits_(static_cast<int>(max_workers)) {
  const GuardHolder held(pools_guard);
  pools.push_back(*this);
}

ThreadPool::~ThreadPool() {
  // What is left of it in a fork's child is nobody's, and not in order.
  if (is_of_another_process()) return;
  {
    const GuardHolder held(pools_guard);
    pools.remove(*this);
  }
  // Its workers are gone, and with them all tasks but those for which there was no thread.
  drop_tasks(nullptr);
}

bool ThreadPool::is_of_another_process() const noexcept {
  return process_ != platform::process_id();
}

void ThreadPool::refuse(const char* why) const {
  throw RuntimeError("cannot submit to the ThreadPoolExecutor '" + name_ + "' " + why +
                     runtime::in_calling_thread());
}

BrokenThreadPool ThreadPool::broken() const {
  return BrokenThreadPool("the initializer of the ThreadPoolExecutor '" + name_ +
                          "' has thrown: it makes no more calls" + runtime::in_calling_thread());
}

// --- tasks ---------------------------------------------------------------------------------------

void ThreadPool::check_open() const {
  if (is_of_another_process()) {
    refuse("in a forked child, where its workers are missing: make a new one there");
  }
  if (is_broken_.load(platform::acquire)) throw broken();
  if (is_shut_down_.load(platform::acquire)) {
    refuse(program_is_ending.load(platform::acquire) ? "at the end of the program"
                                                     : "after its shutdown");
  }
}

void ThreadPool::submit(SharedState& task) {
  const platform::Operation operation("submit", this);
  check_open();
  task.pool_ = this;
  task.process_ = process_;
  task.retain_unshared();
  if (is_own_worker()) {
    try {
      static_cast<PoolWorker*>(current_worker)->deque_.push(&task);
    } catch (...) {
      task.release();
      throw;
    }
    offer_work();
    return;
  }
  if (!submitted_.add(task)) {
    // Shut down since the first look.
    task.release();
    check_open();
  }
  try {
    call_worker_if_needed();
  } catch (...) {
    // It is in the list, but not for anybody to run.
    task.cancel();
    throw;
  }
}

bool ThreadPool::is_own_worker() const noexcept {
  // There is no other kind of worker.
  return current_worker != nullptr && &static_cast<PoolWorker*>(current_worker)->pool_ == this;
}

bool ThreadPool::has_work() const noexcept {
  if (!submitted_.is_empty()) return true;
  for (PoolWorker* worker = newest_.load(platform::seq_cst); worker != nullptr;
       worker = worker->older_) {
    if (!worker->deque_.is_empty()) return true;
  }
  return false;
}

// Goes round from the thief's neighbour on, so that not all thieves try the same victim first.
SharedState* ThreadPool::steal(const PoolWorker* thief) noexcept {
  for (PoolWorker* victim = thief->older_; victim != nullptr; victim = victim->older_) {
    if (SharedState* task = victim->deque_.steal()) return task;
  }
  for (PoolWorker* victim = newest_.load(platform::acquire); victim != thief;
       victim = victim->older_) {
    if (SharedState* task = victim->deque_.steal()) return task;
  }
  return nullptr;
}

void ThreadPool::run(SharedState& task) noexcept {
  if (is_broken_.load(platform::acquire)) {
    task.finish(std::make_exception_ptr(broken()));
  } else {
    task.run();
  }
}

void ThreadPool::drop_tasks(std::exception_ptr failure) noexcept {
  const auto drop = [&failure](SharedState& task) {
    if (failure == nullptr) {
      task.cancel();
    } else if (task.claim()) {
      task.finish(failure);
    }
    task.release();
  };
  const auto take_next = [this]() -> SharedState* {
    const platform::Operation operation("next task", this);
    if (SharedState* task = submitted_.take()) return task;
    for (PoolWorker* worker = newest_.load(platform::acquire); worker != nullptr;
         worker = worker->older_) {
      // A thief that was faster has left the next one to be stolen.
      while (!worker->deque_.is_empty()) {
        if (SharedState* task = worker->deque_.steal()) return task;
      }
    }
    return nullptr;
  };
  while (SharedState* task = take_next()) drop(*task);
}

// --- who is at work ------------------------------------------------------------------------------

bool ThreadPool::call_worker_if_needed() {
  return permits_.load(platform::seq_cst) <= 0 || looking_.load(platform::seq_cst) > 0 ||
         call_worker();
}

bool ThreadPool::offer_work() noexcept {
  try {
    return call_worker_if_needed();
  } catch (const std::exception&) {
    // No thread, or no memory for one: the caller is at work, and looks for tasks when it is done.
    return false;
  }
}

bool ThreadPool::call_worker() {
  PoolWorker* worker;
  try {
    const GuardHolder held(guard_);
    // Somebody else may have called one meanwhile, which will look at all there is.
    if (permits_.load(platform::relaxed) <= 0 || looking_.load(platform::seq_cst) > 0) {
      return true;
    }
    if (resting_ != nullptr) {
      worker = std::exchange(resting_, resting_->next_);
      worker->is_resting_ = false;
    } else if (threads_ == most_threads_) {
      return false;
    } else if (vacant_ != nullptr) {
      worker = std::exchange(vacant_, vacant_->next_);
      ++threads_;
    } else {
      worker = &workers_.emplace_back(*this, workers_.size());
      worker->older_ = newest_.load(platform::relaxed);
      newest_.store(worker, platform::seq_cst);
      ++threads_;
    }
    permits_.fetch_sub(1, platform::relaxed);
    looking_.fetch_add(1, platform::seq_cst);
    worker->is_looking_ = true;
    if (worker->self_ != nullptr) {
      runtime::wake(*worker->self_->slot);
      return true;
    }
  } catch (...) {
    do_without(nullptr);
    return true;
  }
  start(*worker);
  return true;
}

void ThreadPool::start(PoolWorker& worker) {
  try {
    threading::Thread(
        threading::ThreadOptions{.target = [&worker, pool = shared_from_this()] { worker.live(); },
                                 .name = name_ + "_" + std::to_string(worker.number_),
                                 .daemon = false})
        .start();
  } catch (...) {
    do_without(&worker);
  }
}

// In a handler, of what has kept `worker` from its start, or, if null, another one from being made.
void ThreadPool::do_without(PoolWorker* worker) {
  bool others_are_at_work;
  bool others_are_there;
  {
    const GuardHolder held(guard_);
    if (worker != nullptr) {
      worker->is_looking_ = false;
      vacate(*worker);
    } else if (threads_ == 0 && is_shut_down_.load(platform::relaxed)) {
      // The shutdown has left it to the worker to say so.
      all_ended_.set();
    }
    others_are_at_work = threads_ > waiting_.load(platform::relaxed);
    others_are_there = threads_ > 0;
  }
  if (worker != nullptr) looking_.fetch_sub(1, platform::seq_cst);
  // They will come to the tasks.
  if (others_are_at_work) return;
  // Others may have relied on this one.
  if (!others_are_there) drop_tasks(std::current_exception());
  throw;
}

// With the guard held.
void ThreadPool::vacate(PoolWorker& worker) noexcept {
  worker.self_ = nullptr;
  worker.next_ = std::exchange(vacant_, &worker);
  permits_.fetch_add(1, platform::seq_cst);
  if (--threads_ == 0 && is_shut_down_.load(platform::relaxed)) all_ended_.set();
}

bool ThreadPool::rest(PoolWorker& worker) noexcept {
  const platform::Operation operation("rest", this);
  worker.give_up_looking();
  {
    const GuardHolder held(guard_);
    if (is_shut_down_.load(platform::seq_cst)) {
      // Nobody would wake it any more.
      if (permits_.load(platform::relaxed) >= 0 && has_work()) return true;
      vacate(worker);
      return false;
    }
    runtime::prepare_to_wait(*worker.self_);
    worker.next_ = std::exchange(resting_, &worker);
    worker.is_resting_ = true;
    permits_.fetch_add(1, platform::seq_cst);
  }
  if (has_work()) {
    const GuardHolder held(guard_);
    if (worker.is_resting_ && permits_.load(platform::relaxed) > 0) {
      PoolWorker** link = &resting_;
      while (*link != &worker) link = &(*link)->next_;
      *link = worker.next_;
      worker.is_resting_ = false;
      permits_.fetch_sub(1, platform::relaxed);
      looking_.fetch_add(1, platform::seq_cst);
      worker.is_looking_ = true;
      return true;
    }
  }
  runtime::wait_for_wake(*worker.self_, runtime::Reason(WaitKind::work, this), platform::never,
                         runtime::Interrupts::deferred);
  return true;
}

void ThreadPool::break_down() noexcept {
  is_broken_.store(true, platform::release);
  threading::report_exception(std::current_exception(), threading::current_thread());
  drop_tasks(std::make_exception_ptr(broken()));
}

// --- the end -------------------------------------------------------------------------------------

void ThreadPool::shut_down(bool cancels_tasks) noexcept {
  const platform::Operation operation("shutdown", this);
  if (is_of_another_process()) return;
  {
    const GuardHolder held(guard_);
    is_shut_down_.store(true, platform::seq_cst);
    submitted_.close();
    // If there is, a worker is about to be called for it.
    if (threads_ == 0 && !has_work()) all_ended_.set();
    // Called, they find out.
    while (resting_ != nullptr) {
      PoolWorker& worker = *std::exchange(resting_, resting_->next_);
      worker.is_resting_ = false;
      worker.is_looking_ = true;
      permits_.fetch_sub(1, platform::relaxed);
      looking_.fetch_add(1, platform::seq_cst);
      runtime::wake(*worker.self_->slot);
    }
  }
  if (cancels_tasks) drop_tasks(nullptr);
}

void ThreadPool::shut_all_down() noexcept {
  const GuardHolder held(pools_guard);
  for (ThreadPool* pool = pools.first(); pool != nullptr; pool = pool->next) {
    pool->shut_down(false);
  }
}

void ThreadPool::join() {
  if (is_of_another_process()) return;
  if (is_own_worker()) {
    throw DeadlockError("a worker of the ThreadPoolExecutor '" + name_ +
                        "' waits for the end of its own pool: shut it down without waiting" +
                        runtime::in_calling_thread());
  }
  {
    const platform::Operation operation("shutdown", this);
    all_ended_.wait(WaitKind::join, this);
  }
  // One after the other, for a list of them needs memory, and the pool's destructor can't go
  // without this. No worker comes or goes any more.
  for (PoolWorker* worker = newest_.load(platform::acquire); worker != nullptr;
       worker = worker->older_) {
    std::optional<threading::Thread> thread;
    {
      const GuardHolder held(guard_);
      thread = worker->thread_;
    }
    if (thread) thread->join();
  }
}

}  // namespace tutti::inline TUTTI_ABI::futures
