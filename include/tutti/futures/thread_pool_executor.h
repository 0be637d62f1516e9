// futures::ThreadPoolExecutor: a pool of threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tutti/futures/executor.h"

namespace tutti::inline TUTTI_ABI::futures {

/// Python's keyword arguments of ThreadPoolExecutor.
struct ThreadPoolOptions {
  /// How many calls are made at a time; left out: the number of cores and four more, at most 32.
  /// ValueError below 1.
  std::optional<int> max_workers = std::nullopt;
  /// Threads are called "PREFIX_0", "PREFIX_1"…; empty: "ThreadPoolExecutor-0" and so on.
  std::string thread_name_prefix = {};
  /// Called in each thread before its first call. If it throws, the pool is broken: calls that have
  /// not begun, and later ones, fail with BrokenThreadPool.
  std::function<void()> initializer = {};
};

/// Makes calls in threads, which are started when they are needed.
///
///     futures::ThreadPoolExecutor pool(4);
///     futures::Future<int> total = pool.submit(add_up, numbers);
///     for (int square : pool.map([](int n) { return n * n; }, numbers)) …
///
/// Calls begin in the order in which they were submitted from outside; a call's own submits are
/// begun newest first, by the same thread, or oldest first by threads that have nothing else to do.
/// Calls may wait for the results of others of the pool: what nobody has begun they make
/// themselves, and while one waits for a call that is under way, or for another future, a stand-in
/// may work in its place. So max_workers calls are at work, for a moment more whenever a wait ends,
/// and there are at most twice as many threads. What stays a deadlock is a ring of calls that wait
/// for each other, and calls that all wait for something else, a lock or a queue.
///
/// Declare the pool after what its calls use, so that it goes first.
///
/// A call runs in a thread that is not its own: thread::exit() in it is an exception like others,
/// and pthread_exit or pthread_cancel ends the program.
///
/// The destructor shuts down and waits. A pool that is still there when the program ends makes its
/// calls first, as in Python. Thread-safe. Python counterpart:
/// concurrent.futures.ThreadPoolExecutor.
class ThreadPoolExecutor : public Executor {
 public:
  explicit ThreadPoolExecutor(std::optional<int> max_workers = std::nullopt,
                              std::string thread_name_prefix = {},
                              std::function<void()> initializer = {})
      : ThreadPoolExecutor(ThreadPoolOptions{max_workers, std::move(thread_name_prefix),
                                             std::move(initializer)}) {}
  explicit ThreadPoolExecutor(ThreadPoolOptions options);
  /// An interruption that comes meanwhile stays pending. In a call that the pool itself makes it
  /// does not wait.
  ~ThreadPoolExecutor() override;

  std::size_t max_workers() const noexcept;
  void shutdown(ShutdownOptions options = {}) override;

  /// True if the calling thread is one of the pool's.
  bool is_own_worker() const noexcept;
  /// True if a call submitted now would be begun at once.
  bool has_free_worker() const noexcept;
  /// Throws what submit() would.
  void check_open() const;

 protected:
  void schedule(SharedState& task) override;
  std::shared_ptr<void> keep_alive() const noexcept override;

 private:
  std::shared_ptr<ThreadPool> pool_;
};

}  // namespace tutti::inline TUTTI_ABI::futures
