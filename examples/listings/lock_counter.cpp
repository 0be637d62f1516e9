// Ten threads add 3 to one counter. Each holds the lock from the addition to the printing, so the
// pause in between does no harm: the sums come in order, whichever thread is next.
//
//     Adder-1: 3
//     Adder-2: 6
//     …
//     Adder-10: 30
#include <tutti/tutti.h>

#include <memory>
#include <mutex>

#include "pace.h"

using namespace tutti;

threading::Lock lock;
int counter = 0;

class Adder : public threading::Thread {
 public:
  explicit Adder(int i) { set_name("Adder-" + std::to_string(i)); }

  void run() override {
    std::scoped_lock held(lock);
    counter += 3;
    pause(1);
    say(name(), ": ", counter);
  }
};

int main() {
  // The program ends when all ten have ended; the running threads own their objects.
  for (int i = 1; i <= 10; ++i) std::make_shared<Adder>(i)->start();
}
