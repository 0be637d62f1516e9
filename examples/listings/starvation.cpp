// Eight greedy threads want a lock all the time, a meek one wants it now and then. It never waits
// for long: whoever has waited for a millisecond is the next to get the lock.
//
//     the meek thread got the lock 100 times
//     its longest wait was 1180 µs, less than a second: True
#include <tutti/tutti.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "pace.h"

using namespace tutti;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

threading::Lock lock;
threading::Event stop;

void greedy() {
  while (!stop.is_set()) {
    std::scoped_lock held(lock);
    volatile int work = 0;
    while (work < 1000) work = work + 1;
  }
}

void meek() {
  Clock::duration longest{0};
  for (int i = 0; i < 100; ++i) {
    const auto begin = Clock::now();
    lock.acquire();
    longest = std::max(longest, Clock::now() - begin);
    lock.release();
    pause(0.1);
  }
  stop.set();
  say("the meek thread got the lock 100 times");
  say("its longest wait was ", std::chrono::duration_cast<microseconds>(longest).count(),
      " µs, less than a second: ", longest < std::chrono::seconds(1));
}

int main() {
  for (int i = 0; i < 8; ++i) threading::Thread(greedy).start();
  threading::Thread(meek).start();
}
