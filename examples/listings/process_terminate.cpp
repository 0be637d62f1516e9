// Two ways to end a process: tell it to stop by an Event that it looks at, or terminate it wherever
// it is.
//
//     told to stop: 0
//     terminated: -15
#include <tutti/multiprocessing.h>
#include <tutti/multiprocessing/event.h>

#include <iostream>

#include "pace.h"

using namespace tutti;

int main() {
  multiprocessing::Event stop;
  const auto work = [&stop] {
    while (!stop.wait(seconds(1))) {
      // Some of the work; between two such steps everything is in order.
    }
  };
  multiprocessing::Process told(work);
  multiprocessing::Process terminated(work);
  told.start();
  terminated.start();
  pause(2);
  terminated.terminate();  // It may have been in the middle of something.
  terminated.join();
  stop.set();
  told.join();
  std::cout << "told to stop: " << *told.exitcode() << "\n"
            << "terminated: " << *terminated.exitcode() << "\n";
}
