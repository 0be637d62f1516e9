// A thread that starts another one, and goes on when that has ended.
//
//     in context
//     in join
//     out
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

void inner() {
  pause(1);
  say("in join");
}

void context() {
  say("in context");
  threading::Thread t(inner);
  t.start();
  t.join();
  say("out");
}

int main() {
  threading::Thread t(context);
  t.start();
  t.join();
}
