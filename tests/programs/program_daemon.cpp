// Daemon threads at the end of their program: see tests/threading/daemon_end_test.cpp.
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "programs/program.h"
#include "tutti/tutti.h"

namespace {

using namespace program;
namespace threading = tutti::threading;
using threading::Phase;
using threading::Thread;

void pause_for(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}
constexpr std::chrono::milliseconds a_moment{1};
constexpr std::chrono::milliseconds a_while{60};
constexpr std::chrono::minutes a_minute{1};

// What daemons use when main ends. Its destructor gives them time to touch what is gone.
struct Shared {
  ~Shared() {
    // Who is between two calls may come as far as its next one.
    pause_for(a_while);
    is_gone = true;
    in_destructor();
    pause_for(2 * a_while);
    after_it();
    say("static objects go");
  }

  std::function<void()> in_destructor = [] {};
  std::function<void()> after_it = [] {};
  threading::Lock lock;
  threading::Event event;
  threading::Semaphore places{0};
  threading::Condition condition;
  threading::Barrier barrier{2};
  std::atomic<bool> is_gone{false};
} shared;

// Starts a daemon that blocks in `wait` until after the end of main, and must not come back.
int leave_daemon_in(std::function<void()> wait) {
  Thread daemon({.target =
                     [wait = std::move(wait)] {
                       wait();
                       say("the daemon went on");
                     },
                 .daemon = true});
  daemon.start();
  while (daemon.state() == Phase::running || daemon.state() == Phase::ready) pause_for(a_moment);
  return 0;
}

int running() {
  static std::atomic<int> begun{0};
  for (int i = 0; i < 4; ++i) {
    Thread daemon({.target =
                       [] {
                         ++begun;
                         for (;;) {
                           const std::scoped_lock held(shared.lock);
                           check(!shared.is_gone, "no daemon touches what is gone");
                         }
                       },
                   .daemon = true});
    daemon.start();
  }
  while (begun < 4) pause_for(a_moment);
  say("main returns");
  return 5;
}

int holding_up_no_destructor() {
  shared.in_destructor = [] {
    const std::scoped_lock held(shared.lock);
    say("destructor has the lock");
  };
  return running();
}

int woken_from_a_lock() {
  shared.in_destructor = [] { shared.lock.release(); };
  shared.after_it = [] { check(shared.lock.acquire(a_minute), "the lock was given back"); };
  shared.lock.acquire();
  return leave_daemon_in([] { shared.lock.acquire(); });
}

int woken_from_an_event() {
  shared.in_destructor = [] { shared.event.set(); };
  return leave_daemon_in([] { shared.event.wait(); });
}

int woken_from_a_semaphore() {
  shared.in_destructor = [] { shared.places.release(); };
  shared.after_it = [] { check(shared.places.acquire(a_minute), "the place was given back"); };
  return leave_daemon_in([] { shared.places.acquire(); });
}

int woken_from_a_condition() {
  shared.in_destructor = [] {
    const std::scoped_lock held(shared.condition);
    shared.condition.notify_all();
  };
  shared.after_it = [] { check(shared.condition.acquire(a_minute), "the lock was given back"); };
  return leave_daemon_in([] {
    const std::scoped_lock held(shared.condition);
    const std::scoped_lock twice(shared.condition);
    shared.condition.wait();
  });
}

int woken_from_a_barrier() {
  shared.in_destructor = [] { shared.barrier.wait(); };
  return leave_daemon_in([] { shared.barrier.wait(); });
}

int woken_by_a_timeout() {
  return leave_daemon_in([] { shared.event.wait(2 * a_while); });
}

int woken_by_a_timeout_of_a_condition() {
  shared.after_it = [] { check(shared.condition.acquire(a_minute), "the lock was given back"); };
  return leave_daemon_in([] {
    const std::scoped_lock held(shared.condition);
    shared.condition.wait(2 * a_while);
  });
}

int waking_from_a_sleep() {
  return leave_daemon_in([] { tutti::sleep(2 * a_while); });
}

// It comes out of a call that is not tutti's, and joins a thread whose handle is gone.
int joining_what_is_gone() {
  static std::optional<Thread> handle = Thread([] {});
  handle->start();
  return leave_daemon_in([] {
    while (!shared.is_gone) pause_for(a_moment);
    handle->join();
  });
}

}  // namespace

int main() {
  return run({
      {"running", running},
      {"holding_up_no_destructor", holding_up_no_destructor},
      {"woken_from_a_lock", woken_from_a_lock},
      {"woken_from_an_event", woken_from_an_event},
      {"woken_from_a_semaphore", woken_from_a_semaphore},
      {"woken_from_a_condition", woken_from_a_condition},
      {"woken_from_a_barrier", woken_from_a_barrier},
      {"woken_by_a_timeout", woken_by_a_timeout},
      {"woken_by_a_timeout_of_a_condition", woken_by_a_timeout_of_a_condition},
      {"waking_from_a_sleep", waking_from_a_sleep},
      {"joining_what_is_gone", joining_what_is_gone},
  });
}
