// Queues over a fork: its child finds all of them whole, and nobody waiting in them.
#include "queue/core.h"
#include "runtime/self.h"
#include "sync/held.h"
#include "sync/lock_order.h"
#include "sync/wait_stats.h"

namespace tutti::inline TUTTI_ABI::queue {

namespace {

// Guards the list of all queues. Taken before those of a queue.
constinit runtime::Guard list_guard;

}  // namespace

struct AllQueues {
  using Core = QueueBase::Core;

  static void before_fork() {
    list_guard.lock();
    for (Core* core = cores.first(); core != nullptr; core = core->next) core->lock_all();
  }
  static void in_parent() {
    for (Core* core = cores.first(); core != nullptr; core = core->next) core->unlock_all();
    list_guard.unlock();
  }
  static void in_child() {
    for (Core* core = cores.first(); core != nullptr; core = core->next) core->forget_others();
    list_guard.reset();
  }
  static inline constinit runtime::Chain<Core> cores;
};

namespace {

// At the start, when no other thread could be in the middle of it while one forks.
[[maybe_unused]] const bool prepared = [] {
  // The layers below come first.
  runtime::self();
  sync::prepare_held_locks();
  sync::prepare_lock_order();
  sync::prepare_wait_stats();
  platform::around_fork({AllQueues::before_fork, AllQueues::in_parent, AllQueues::in_child});
  platform::on_restart(
      [] {
        list_guard.reset();
        AllQueues::cores = {};
      },
      platform::Restart::after_loss);
  return true;
}();

}  // namespace

void QueueBase::Core::join_all_queues() noexcept {
  const runtime::GuardHolder held(list_guard);
  AllQueues::cores.push_back(*this);
}

void QueueBase::Core::leave_all_queues() noexcept {
  const runtime::GuardHolder held(list_guard);
  AllQueues::cores.remove(*this);
}

void QueueBase::Core::lock_all() noexcept {
  putters.guard.lock();
  if (&get_guard != &putters.guard) get_guard.lock();
  tasks.lock();
}

void QueueBase::Core::unlock_all() noexcept {
  tasks.unlock();
  if (&get_guard != &putters.guard) get_guard.unlock();
  putters.guard.unlock();
}

void QueueBase::Core::forget_others() noexcept {
  tasks.forget_others();
  for (Side* side : {&putters, &getters}) {
    side->guard.reset();
    side->line = {};
    side->state.store(is_shut_down ? Side::shut_down : 0, platform::relaxed);
  }
}

}  // namespace tutti::inline TUTTI_ABI::queue
