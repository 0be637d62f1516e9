// Two threads wait for an event; when main sets it, both go on.
//
//     before: False
//     a thread goes on
//     a thread goes on
//     after set: True
//     after clear: False
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

threading::Event start;

void run() {
  start.wait();
  say("a thread goes on");
}

int main() {
  threading::Thread first(run);
  threading::Thread second(run);
  first.start();
  second.start();
  pause(5);
  say("before: ", start.is_set());
  start.set();
  first.join();
  second.join();
  say("after set: ", start.is_set());
  start.clear();
  say("after clear: ", start.is_set());
}
