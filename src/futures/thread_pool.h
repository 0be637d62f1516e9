// The pool behind a ThreadPoolExecutor: its tasks, its workers, and who of them is at work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "futures/deque.h"
#include "futures/task_list.h"
#include "futures/worker.h"
#include "runtime/guard.h"
#include "runtime/self.h"
#include "tutti/errors.h"
#include "tutti/futures/shared_state.h"
#include "tutti/sync/event_cell.h"
#include "tutti/threading/thread.h"

namespace tutti::inline TUTTI_ABI::futures {

class PoolWorker;

/// Tasks from outside go into one list, first in, first out; tasks that a worker submits into its
/// own deque, from which it takes the newest and others steal the oldest. Every 61st time a worker
/// looks at the list first, so that nothing there waits for ever behind tasks that beget tasks.
///
/// `max_workers` is how many may be at work: each needs one of so many permits, and gives it back
/// while it has nothing to do, and while it waits for a future. That is when another one stands in.
/// When the wait ends the worker takes its permit back at once, which can make their number
/// negative; then the next one to finish a task gives one back. There are at most twice as many
/// threads as permits. If there are all of them, and nobody is at work, a worker that is about to
/// wait for one of the pool's tasks runs tasks itself, so that those can't wait for each other.
///
/// Whoever adds a task calls a worker if there is a permit and none is looking for work already; a
/// worker that stops looking because it has found something, and was the last one, calls another if
/// there is more. A worker that finds nothing gives its permit back and then looks once more. Both
/// sides are seq_cst (the add, then the look at permits and at who is looking; the permit, then the
/// look at the tasks), so that no task is added unseen.
class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
 public:
  ThreadPool(std::size_t max_workers, std::string name, std::function<void()> initializer);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t max_workers() const noexcept { return max_workers_; }

  /// Throws RuntimeError once it is shut down, or when there is no worker and none can be started,
  /// BrokenThreadPool when it is broken; the task is then not run.
  void submit(SharedState& task);

  void check_open() const;
  /// Not all that may be at work are.
  bool has_permits() const noexcept {
    const platform::Operation operation("has free worker", this, platform::Access::read);
    return permits_.load(platform::relaxed) > 0 || looking_.load(platform::relaxed) > 0;
  }

  /// From now on no task comes in; workers end when there are no tasks left.
  void shut_down(bool cancels_tasks) noexcept;
  /// The same for all pools, at the end of the program.
  static void shut_all_down() noexcept;
  /// Waits until all workers have ended. Throws RuntimeError in one of them, KeyboardInterrupt in
  /// an interrupted main thread.
  void join();
  /// The calling thread is one of its workers.
  bool is_own_worker() const noexcept;

  /// Neighbours in the list of all pools, which alone uses them.
  ThreadPool* next = nullptr;
  ThreadPool* previous = nullptr;

 private:
  friend class PoolWorker;

  bool is_of_another_process() const noexcept;
  [[noreturn]] void refuse(const char* why) const;
  bool has_work() const noexcept;
  SharedState* steal(const PoolWorker* thief) noexcept;
  /// Runs a task that the calling worker has claimed.
  void run(SharedState& task) noexcept;
  /// Has all that nobody has begun fail, or cancels them.
  void drop_tasks(std::exception_ptr failure) noexcept;

  /// A task was added, or is left.
  /// False if somebody is needed, and there are all the threads there may be.
  bool call_worker_if_needed();
  /// The same where somebody else is at work, who will come to the task if no other can.
  bool offer_work() noexcept;
  bool call_worker();
  void start(PoolWorker& worker);
  void do_without(PoolWorker* worker);
  /// Gives the permit back and sleeps until it is called, with a permit again. False: its thread is
  /// to end.
  bool rest(PoolWorker& worker) noexcept;
  void vacate(PoolWorker& worker) noexcept;
  /// The initializer has thrown what is being handled.
  void break_down() noexcept;
  BrokenThreadPool broken() const;

  const std::size_t max_workers_;
  /// With those who stand in for others.
  const int most_threads_;
  const std::string name_;
  const std::function<void()> initializer_;
  const std::uint32_t process_;

  TaskList submitted_;
  /// Workers that are at work without a task: they look for one.
  alignas(64) platform::atomic<int> looking_{0};
  platform::atomic<int> permits_;
  platform::atomic<bool> is_broken_{false};
  /// All workers there ever were, linked by `older`, for thieves.
  platform::atomic<PoolWorker*> newest_{nullptr};

  /// Workers that wait for a future, and have given their permits to stand-ins.
  platform::atomic<int> waiting_{0};

  alignas(64) runtime::Guard guard_;
  // Guarded, but for the flag's readers.
  platform::atomic<bool> is_shut_down_{false};
  std::deque<PoolWorker> workers_;
  PoolWorker* resting_ = nullptr;
  PoolWorker* vacant_ = nullptr;
  int threads_ = 0;
  /// It is shut down, and no thread is left.
  sync::EventCell all_ended_;
};

/// One thread of a pool, and, when that has ended, room for another.
class alignas(64) PoolWorker final : public Worker {
 public:
  PoolWorker(ThreadPool& pool, std::size_t number) : pool_(pool), number_(number) {}

  /// What its thread does.
  void live() noexcept;

  bool run_instead(SharedState& task) noexcept override;
  bool begin_wait() noexcept override;
  void end_wait() noexcept override;
  void help() noexcept override;
  bool can_help() const noexcept override { return helping_ < most_helped_; }

 private:
  friend class ThreadPool;

  SharedState* begin_next() noexcept;
  SharedState* claim_next() noexcept;
  SharedState* find() noexcept;
  void begin_to_look() noexcept;
  bool look_around() noexcept;
  void give_up_looking() noexcept;
  void stop_looking() noexcept;
  bool take_out_of_deque(SharedState& task) noexcept;

  ThreadPool& pool_;
  const std::size_t number_;
  PoolWorker* older_ = nullptr;
  Deque deque_;
  unsigned looks_ = 0;
  /// So many tasks it runs inside of others that wait.
  int helping_ = 0;
  static constexpr int most_helped_ = 100;
  bool is_looking_ = false;

  // Guarded by the pool.
  /// The next one that rests, or is vacant.
  PoolWorker* next_ = nullptr;
  bool is_resting_ = false;
  /// Null while no thread has begun.
  runtime::Self* self_ = nullptr;
  std::optional<threading::Thread> thread_;
};

}  // namespace tutti::inline TUTTI_ABI::futures
