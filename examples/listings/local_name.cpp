// An attribute of a local object has a value of its own in each thread.
//
//     notmain
//     main
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

threading::local mine;

void other() {
  mine["tname"] = std::string("notmain");
  say(mine.get<std::string>("tname"));
}

int main() {
  mine["tname"] = std::string("main");
  threading::Thread t(other);
  t.start();
  t.join();
  say(mine.get<std::string>("tname"));
}
