// A museum for two: four visitors come, and two have to wait. Then main releases the semaphore
// without having acquired it, and from then on there is room for three.
//
//     2 inside, 2 waiting
//     3 inside, 1 waiting
//     never more than 3 inside, and now 3 free places
#include <tutti/tutti.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "pace.h"

using namespace tutti;

threading::Semaphore museum(2);
threading::Event closing;
threading::Condition changed;
int inside = 0;
int peak = 0;

void visit() {
  std::scoped_lock place(museum);
  {
    std::scoped_lock held(changed);
    peak = std::max(peak, ++inside);
    changed.notify();
  }
  closing.wait();
  std::scoped_lock held(changed);
  --inside;
}

/// Returns when `guests` visitors are inside and all others wait for a place.
void show(const std::vector<threading::Thread>& visitors, int guests) {
  const auto waiting = [&] {
    return std::ranges::count_if(visitors, [](const threading::Thread& visitor) {
      return visitor.blocked_on().kind == threading::WaitKind::semaphore;
    });
  };
  while (waiting() > 4 - guests || waiting() < 4 - guests) tutti::sleep(0.001);
  std::scoped_lock held(changed);
  changed.wait_for([&] { return inside >= guests; });
  say(inside, " inside, ", waiting(), " waiting");
}

int main() {
  std::vector<threading::Thread> visitors;
  for (int i = 0; i < 4; ++i) visitors.emplace_back(visit).start();
  show(visitors, 2);
  museum.release();
  show(visitors, 3);
  closing.set();
  for (auto& visitor : visitors) visitor.join();
  say("never more than ", peak, " inside, and now ", museum.value(), " free places");
}
