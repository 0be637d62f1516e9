// multiprocessing::JoinableQueue: a queue that knows when all is done.
#pragma once

#include <string>
#include <utility>

#include "tutti/multiprocessing/basic_queue.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A Queue whose consumers say when they have worked on an item, so that others can wait until all
/// is done.
///
///     JoinableQueue<Job> jobs;
///     …                                   // in each worker:
///     work(jobs.get());
///     jobs.task_done();
///     …                                   // elsewhere:
///     jobs.join();
///
/// What is unfinished is counted where items are put, in one word, so that no kill can make it
/// wrong. But a consumer that is killed after it got an item, and before it calls task_done(),
/// leaves a task that nobody will finish: as in Python, join() then waits until somebody else calls
/// task_done() for it. Python: multiprocessing.JoinableQueue.
template <typename T>
class JoinableQueue : public BasicQueue<T> {
 public:
  /// Throws OSError when no descriptor or memory is left.
  explicit JoinableQueue(int maxsize = 0, std::string name = {})
      : BasicQueue<T>("JoinableQueue", QueueBase::limit_for(maxsize), std::move(name)) {}

  /// Says that an item that was got has been worked on. Throws ValueError when that is said more
  /// often than items were put.
  void task_done() { this->finish_task(); }
  /// Waits until task_done() was called for every item put so far. Throws KeyboardInterrupt in an
  /// interrupted main thread.
  void join() { this->join_tasks(); }

  /// As Queue::shutdown(); with `immediate`, join() returns.
  void shutdown(bool immediate = false) { this->shut_down(immediate); }
  bool is_shutdown() const noexcept { return this->is_shut_down(); }

  /// The items one after the other, until the queue is shut down and empty.
  auto items() { return typename BasicQueue<T>::Items(*this); }

  template <class Archive>
  static void tutti_serialize(Archive& archive, JoinableQueue& queue) {
    int descriptor = queue.segment().descriptor();
    archive.descriptor(descriptor, "JoinableQueue");
    if constexpr (Archive::is_reading) {
      queue = JoinableQueue(Segment::adopt(descriptor, 0, "queue"));
    }
  }

 private:
  explicit JoinableQueue(Segment segment) : BasicQueue<T>("JoinableQueue", std::move(segment)) {}
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
