// The thread module by itself: start_new, exit, and a lock made by allocate. A thread counts with
// pauses while main sleeps for longer than that.
//
//     locked: False
//     acquire: True
//     0
//     1
//     2
//     3
//     4
//
// With the argument "short", the thread's pauses are longer than main's sleep: the thread ends with
// main after its first number.
#include <tutti/tutti.h>

#include <string_view>

#include "pace.h"

using namespace tutti;

thread::LockType lock = thread::allocate();
threading::Event counting;

void count(double units) {
  say("locked: ", lock.locked());
  say("acquire: ", lock.acquire(true));
  for (int i = 0; i < 5; ++i) {
    say(i);
    counting.set();
    pause(units);
  }
  lock.release();
  thread::exit();
}

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "short") {
    thread::start_new(count, 10000);
    counting.wait();
    return 0;
  }
  thread::start_new(count, 1);
  // However long the system takes, main sleeps longer.
  while (thread::_count() > 0) pause(1);
}
