// A function run in a new thread: by the thread module, then by threading.
//
//     Worker
//     Worker
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

threading::Event done;

void worker() {
  say("Worker");
  done.set();
}

int main() {
  thread::start_new_thread(worker);
  done.wait();  // Threads of start_new_thread can't be joined, and they end with main.

  threading::Thread t(worker);
  t.start();
}
