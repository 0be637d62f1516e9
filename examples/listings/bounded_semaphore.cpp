// The museum for two again, with a semaphore that keeps count: when all four visitors have left,
// one more release is one too many.
//
//     never more than 2 inside
//     ValueError: cannot release Semaphore at 0x… by 1: released too many times, its count would…
//     2 free places
#include <tutti/tutti.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "pace.h"

using namespace tutti;

threading::BoundedSemaphore museum(2);
threading::Barrier pair(2);
threading::Lock lock;
int inside = 0;
int peak = 0;

void count(int change) {
  std::scoped_lock held(lock);
  inside += change;
  peak = std::max(peak, inside);
}

void visit() {
  std::scoped_lock place(museum);
  count(+1);
  pair.wait();  // Nobody walks through alone.
  count(-1);
}

int main() {
  std::vector<threading::Thread> visitors;
  for (int i = 0; i < 4; ++i) visitors.emplace_back(visit).start();
  for (auto& visitor : visitors) visitor.join();
  say("never more than ", peak, " inside");
  try {
    museum.release();
  } catch (const ValueError& error) {
    say("ValueError: ", error.what());
  }
  say(museum.value(), " free places");
}
