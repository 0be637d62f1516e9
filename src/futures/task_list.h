// The tasks that were submitted from outside of a pool, in their order.
#pragma once

#include "runtime/guard.h"
#include "tutti/futures/shared_state.h"

namespace tutti::inline TUTTI_ABI::futures {

/// First in, first out. Who adds and who takes hold a guard each, so that they meet only when the
/// taker has used up what it has, and takes over all that was added meanwhile.
class TaskList {
 public:
  TaskList() noexcept = default;
  TaskList(const TaskList&) = delete;
  TaskList& operator=(const TaskList&) = delete;

  /// False, and it is not added, once the list is closed.
  bool add(SharedState& task) noexcept {
    task.next_ = nullptr;
    const runtime::GuardHolder held(adding_);
    if (is_closed_) return false;
    if (last_added_ == nullptr) {
      // seq_cst: whoever adds looks for sleeping workers next, which look for work after they have
      // said that they sleep.
      first_added_.store(&task, platform::seq_cst);
    } else {
      last_added_->next_ = &task;
    }
    last_added_ = &task;
    return true;
  }

  void close() noexcept {
    const runtime::GuardHolder held(adding_);
    is_closed_ = true;
  }

  /// The oldest one, or null.
  SharedState* take() noexcept {
    if (is_empty()) return nullptr;
    const runtime::GuardHolder held(taking_);
    SharedState* task = first_to_take_.load(platform::relaxed);
    if (task == nullptr) {
      const runtime::GuardHolder held_too(adding_);
      task = first_added_.load(platform::relaxed);
      if (task == nullptr) return nullptr;
      first_to_take_.store(task, platform::relaxed);
      // release: who sees this sees where they have gone.
      first_added_.store(nullptr, platform::release);
      last_added_ = nullptr;
    }
    first_to_take_.store(task->next_, platform::relaxed);
    return task;
  }

  /// May say so while take() brings tasks from one end to the other; who does that will see the
  /// next one.
  bool is_empty() const noexcept {
    return first_added_.load(platform::seq_cst) == nullptr &&
           first_to_take_.load(platform::seq_cst) == nullptr;
  }

 private:
  alignas(64) runtime::Guard adding_;
  platform::atomic<SharedState*> first_added_{nullptr};
  SharedState* last_added_ = nullptr;
  bool is_closed_ = false;
  alignas(64) runtime::Guard taking_;
  platform::atomic<SharedState*> first_to_take_{nullptr};
};

}  // namespace tutti::inline TUTTI_ABI::futures
