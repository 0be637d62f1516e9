// A thread goes through all its states, and main tells each one when it sees it.
//
//     new
//     running
//     blocked (lock pool: Lock at 0x…)
//     blocked (wait pool: Condition at 0x…)
//     blocked (other: sleep)
//     blocked (other: join of helper)
//     dead
#include <tutti/tutti.h>

#include <mutex>

#include "pace.h"

using namespace tutti;
using threading::Phase;
using threading::WaitKind;

threading::Lock lock;
threading::Condition condition;
threading::Event go;
threading::Event rested;
threading::Event finish;

void live(threading::Thread helper) {
  while (!go.is_set()) continue;
  lock.acquire();  // Main holds it.
  lock.release();
  {
    std::scoped_lock held(condition);
    condition.wait();
  }
  while (!rested.is_set()) pause(1);
  helper.join();
}

/// Looks until the thread is in that state, for some ten seconds at most.
void show(const threading::Thread& t, Phase phase, WaitKind kind = WaitKind::none) {
  auto state = t.state();
  for (int i = 0; i < 10000 && (state != phase || state.blocked_on.kind != kind); ++i) {
    tutti::sleep(0.001);
    state = t.state();
  }
  say(state);
}

int main() {
  threading::Thread helper({.target = [] { finish.wait(); }, .name = "helper"});
  threading::Thread t(live, helper);
  show(t, Phase::new_thread);

  helper.start();
  lock.acquire();
  t.start();
  show(t, Phase::running);
  go.set();
  show(t, Phase::blocked_in_lock_pool, WaitKind::lock);
  lock.release();
  show(t, Phase::blocked_in_wait_pool, WaitKind::condition);
  condition.acquire();
  condition.notify();
  condition.release();
  show(t, Phase::blocked_otherwise, WaitKind::sleep);
  rested.set();
  show(t, Phase::blocked_otherwise, WaitKind::join);
  finish.set();
  t.join();
  show(t, Phase::dead);
}
