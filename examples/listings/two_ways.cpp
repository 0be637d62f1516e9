// The two ways to say what a thread does: a target, or a subclass that overrides run().
//
//     a target
//     an overridden run()
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

void target() {
  say("a target");
}

class Subclass : public threading::Thread {
 public:
  void run() override { say("an overridden run()"); }
};

int main() {
  threading::Thread first(target);
  first.start();
  first.join();

  Subclass second;
  second.start();
  second.join();
}
