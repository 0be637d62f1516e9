// multiprocessing::Queue: items from process to process.
#pragma once

#include <string>
#include <utility>

#include "tutti/multiprocessing/basic_queue.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A queue that threads of any number of processes put items into and get items out of, first in,
/// first out.
///
///     multiprocessing::Queue<std::string> names(100);  // at most 100 at a time; 0: no limit
///     multiprocessing::Process writer([=]() mutable { names.put("Ann"); });
///     writer.start();
///     std::string name = names.get();                  // waits while it is empty
///
/// Items cross by value, through memory that the processes share: what can't cross does not
/// compile. Linearizable. put() returns once the item is there for all, with no thread in between
/// as in Python. A process that is killed, at whatever instruction, takes with it at most the item
/// that it has not finished putting, or has taken already; the others go on.
///
/// A handle: copies are the same queue, forked children share it, and spawned ones can be given it
/// as an argument. It lives until the last handle in the last process is gone, and leaves nothing
/// behind. It takes one file descriptor, and a quarter of the machine's memory at most: then there
/// is no room until items are taken, whatever its maxsize. Items may have up to an eighth of that
/// or so. With a `name`, errors and wait records call it by that: "Queue 'jobs'".
///
/// Michael, Scott: Simple, Fast, and Practical Non-Blocking and Blocking Concurrent Queue
/// Algorithms (1996), for the two locks. Python: multiprocessing.Queue, and shutdown() of
/// queue.Queue.
template <typename T>
class Queue : public BasicQueue<T> {
 public:
  /// Throws OSError when no descriptor or memory is left.
  explicit Queue(int maxsize = 0, std::string name = {})
      : BasicQueue<T>("Queue", QueueBase::limit_for(maxsize), std::move(name)) {}

  /// From now on put() throws in all processes, and get() throws once the queue is empty; who waits
  /// is let go. With `immediate` what is in it is dropped.
  void shutdown(bool immediate = false) { this->shut_down(immediate); }
  bool is_shutdown() const noexcept { return this->is_shut_down(); }

  /// The items one after the other, until the queue is shut down and empty:
  ///     for (Job& job : jobs.items()) work(job);
  auto items() { return typename BasicQueue<T>::Items(*this); }

  template <class Archive>
  static void tutti_serialize(Archive& archive, Queue& queue) {
    int descriptor = queue.segment().descriptor();
    archive.descriptor(descriptor, "Queue");
    if constexpr (Archive::is_reading) queue = Queue(Segment::adopt(descriptor, 0, "queue"));
  }

 private:
  explicit Queue(Segment segment) : BasicQueue<T>("Queue", std::move(segment)) {}
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
