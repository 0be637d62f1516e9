// Two conditions over one lock: a shelf with room for one thing, where those who bring and those
// who take wait for different news.
//
//     put 1
//     took 1
//     put 2
//     took 2
//     put 3
//     took 3
#include <tutti/tutti.h>

#include <mutex>
#include <optional>

#include "pace.h"

using namespace tutti;

threading::Lock lock;
threading::Condition emptied(lock);
threading::Condition filled(lock);
std::optional<int> shelf;

void put() {
  for (int i = 1; i <= 3; ++i) {
    std::scoped_lock held(lock);
    emptied.wait_for([] { return !shelf; });
    shelf = i;
    say("put ", i);
    filled.notify();
  }
}

void take() {
  for (int i = 1; i <= 3; ++i) {
    std::scoped_lock held(lock);
    filled.wait_for([] { return shelf.has_value(); });
    say("took ", *shelf);
    shelf.reset();
    emptied.notify();
  }
}

int main() {
  threading::Thread taker(take);
  threading::Thread putter(put);
  taker.start();
  putter.start();
}
