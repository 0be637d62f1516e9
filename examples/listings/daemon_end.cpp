// The end of main is the end of the program for a daemon thread, which would loop for ever:
//
//     a daemon thread runs
//     main ends
//
// With the argument "wait" the thread is no daemon and comes to its end, and the program waits:
//
//     a thread runs
//     main ends
//     the thread ends
#include <tutti/tutti.h>

#include <string_view>

#include "pace.h"

using namespace tutti;

threading::Event running;
threading::Event main_ends;

void loop_for_ever() {
  say("a daemon thread runs");
  for (;;) {
    running.set();
    pause(0.1);
  }
}

void come_to_an_end() {
  say("a thread runs");
  running.set();
  main_ends.wait();
  pause(10);
  say("the thread ends");
}

int main(int argc, char** argv) {
  const bool wait = argc > 1 && std::string_view(argv[1]) == "wait";
  threading::Thread t(wait ? come_to_an_end : loop_for_ever);
  t.set_daemon(!wait);
  t.start();
  running.wait();
  say("main ends");
  main_ends.set();
}
