// What a program can ask about its threads.
//
//     in MainThread
//     Thread-1 is a daemon: False
//     feeder is a daemon: True
//     a thread made by feeder is a daemon: True
//     3 threads: MainThread Thread-1 feeder
//     1 thread: MainThread
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

threading::Event ready;
threading::Event stop;

std::string names() {
  std::string names;
  for (const auto& t : threading::enumerate()) names += " " + t.name();
  return names;
}

void feed() {
  say("a thread made by ", threading::current_thread().name(),
      " is a daemon: ", threading::Thread().daemon());
  ready.set();
  stop.wait();
}

int main() {
  threading::Thread unnamed([] { stop.wait(); });
  threading::Thread feeder({.target = feed, .name = "feeder", .daemon = true});
  say("in ", threading::current_thread().name());
  say(unnamed.name(), " is a daemon: ", unnamed.daemon());
  say(feeder.name(), " is a daemon: ", feeder.daemon());
  unnamed.start();
  feeder.start();
  ready.wait();
  say(threading::active_count(), " threads:", names());
  stop.set();
  unnamed.join();
  feeder.join();
  say(threading::active_count(), " thread:", names());
}
