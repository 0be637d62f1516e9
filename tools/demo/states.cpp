#include "demo/states.h"

#include <fmt/core.h>
#include <tutti/inspect.h>
#include <tutti/threading.h>
#include <iostream>
#include <mutex>
#include <vector>

namespace demo {

namespace threading = tutti::threading;
using threading::Phase;

namespace {

void wait_until(const threading::Thread& thread, Phase phase) {
  while (thread.state() != phase) tutti::sleep(0.001);
}

}  // namespace

void show_states() {
  threading::Lock lock;
  threading::Condition changed;
  bool is_over = false;
  threading::Event stop;

  threading::Thread new_one({.target = [] {}, .name = "newcomer"});
  threading::Thread locked(
      {.target = [&] { const std::scoped_lock held(lock); }, .name = "locked-out"});
  threading::Thread waiting({.target =
                                 [&] {
                                   const std::scoped_lock held(changed);
                                   changed.wait_for([&] { return is_over; });
                                 },
                             .name = "waiting"});
  threading::Thread sleeping({.target = [] { tutti::sleep(0.3); }, .name = "sleeping"});
  threading::Thread joining({.target = [&] { sleeping.join(); }, .name = "joining"});
  threading::Thread busy({.target =
                              [&] {
                                while (!stop.is_set()) {
                                }
                              },
                          .name = "busy"});
  {
    const std::scoped_lock held(lock);
    for (threading::Thread* thread : {&locked, &waiting, &sleeping, &joining, &busy})
      thread->start();
    wait_until(locked, Phase::blocked_in_lock_pool);
    wait_until(waiting, Phase::blocked_in_wait_pool);
    wait_until(joining, Phase::blocked_otherwise);
    fmt::print("{} is {} before its start\n", new_one.name(), to_string(new_one.state().phase));
    std::fflush(stdout);
    tutti::inspect::dump(std::cout);
  }
  stop.set();
  {
    const std::scoped_lock held(changed);
    is_over = true;
    changed.notify();
  }
  for (threading::Thread* thread : {&locked, &waiting, &sleeping, &joining, &busy}) thread->join();
  fmt::print("{} is {} after its end\n", busy.name(), to_string(busy.state().phase));
}

}  // namespace demo
