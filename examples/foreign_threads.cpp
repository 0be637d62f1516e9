// Threads that tutti did not start use its locks like any other thread, and show in the same
// pictures: here a std::thread holds a lock, another one and a tutti thread wait for it, and
// inspect::dump tells who does what.
//
//     thread              tid      state
//     MainThread          4711     running
//     Dummy-1             4712     blocked (wait pool: Event at 0x…), for 0.004 s
//     Dummy-2             4713     blocked (lock pool: Lock at 0x…), for 0.003 s
//     Thread-1            4714     blocked (lock pool: Lock at 0x…), for 0.001 s
//     3 threads had the lock
#include <tutti/inspect.h>
#include <tutti/threading.h>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <mutex>
#include <thread>

using namespace tutti;

threading::Lock lock;
threading::Event picture_taken;
int had_the_lock = 0;

void hold() {
  std::scoped_lock held(lock);
  picture_taken.wait();
  ++had_the_lock;
}

/// Returns when `count` threads of this process are in that phase.
void await(threading::Phase phase, std::ptrdiff_t count) {
  const auto is_there = [phase](const inspect::ThreadInfo& info) { return info.state == phase; };
  while (std::ranges::count_if(inspect::threads(), is_there) < count) tutti::sleep(0.001);
}

int main() {
  std::thread first(hold);
  await(threading::Phase::blocked_in_wait_pool, 1);
  std::thread second(hold);
  await(threading::Phase::blocked_in_lock_pool, 1);
  threading::Thread third(hold);
  third.start();
  await(threading::Phase::blocked_in_lock_pool, 2);

  inspect::dump(std::cout);
  picture_taken.set();
  first.join();
  second.join();
  third.join();
  std::cout << had_the_lock << " threads had the lock\n";
}
