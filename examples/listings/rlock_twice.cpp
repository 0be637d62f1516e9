// Three threads acquire one RLock twice and release it twice. In between nobody else gets it, so
// the steps of a thread stay together; the order of the threads is open.
//
//     Ann has acquired
//     Ann has acquired again
//     Ann releases
//     Ann releases again
//     Bob has acquired
//     …
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

threading::RLock lock;

void twice() {
  const std::string name = threading::current_thread().name();
  lock.acquire();
  say(name, " has acquired");
  lock.acquire();
  say(name, " has acquired again");
  pause(1);
  say(name, " releases");
  lock.release();
  pause(1);
  say(name, " releases again");
  lock.release();
}

int main() {
  for (const char* name : {"Ann", "Bob", "Cleo"}) {
    threading::Thread({.target = twice, .name = name}).start();
  }
}
