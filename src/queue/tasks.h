// How many of a queue's items have not been worked on yet, and who waits for that to be none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "queue/line.h"
#include "runtime/guard.h"

namespace tutti::inline TUTTI_ABI::queue {

/// Every item put is a task, so their number is known from the putters' index: this counts those
/// done. So a put has nothing to do here, and task_done() looks at the index only when it has done
/// all that it knows of.
class Tasks {
 public:
  /// `put` is the number of items put so far, ever.
  explicit Tasks(const platform::atomic<std::uint64_t>& put) noexcept : put_(put) {}

  /// False if there was none left to do.
  bool finish_one() noexcept;
  /// One that was put is put once more: to be done once all the same.
  void discount_one() noexcept;
  /// Those that were not done and have been dropped; join() returns, whether or not others are
  /// still under way, as in Python.
  void drop(std::uint64_t dropped) noexcept;
  /// Waits until none is left.
  void join(runtime::Self& self, const void* queue);

  // For forks, as in the queue's core.
  void lock() noexcept { guard_.lock(); }
  void unlock() noexcept { guard_.unlock(); }
  void forget_others() noexcept {
    guard_.reset();
    joiners_ = {};
  }

  /// For the gate of join(), when nobody else runs.
  bool are_done() const noexcept;

 private:
  std::uint64_t left() noexcept;

  const platform::atomic<std::uint64_t>& put_;
  runtime::Guard guard_;
  std::uint64_t done_ = 0;
  /// Of `put_`, as it was some time ago.
  std::uint64_t known_put_ = 0;
  Line joiners_;
};

}  // namespace tutti::inline TUTTI_ABI::queue
