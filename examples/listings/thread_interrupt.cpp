// A thread interrupts the main thread in its sleep, which would last for minutes.
//
//     main sleeps
//     KeyboardInterrupt
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

void interrupt() {
  pause(1);
  thread::interrupt_main();
}

int main() {
  say("main sleeps");
  thread::start_new_thread(interrupt);
  try {
    pause(30000);
    say("main slept to the end");
  } catch (const KeyboardInterrupt&) {
    say("KeyboardInterrupt");
  }
}
