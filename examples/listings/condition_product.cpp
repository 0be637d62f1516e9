// A producer and a consumer with room for one product: they take turns.
//
//     produced 1
//     consumed 1
//     produced 2
//     consumed 2
//     …
//     produced 5
//     consumed 5
#include <tutti/tutti.h>

#include <mutex>

#include "pace.h"

using namespace tutti;

threading::Condition changed;
bool available = false;

void produce(int rounds) {
  for (int i = 1; i <= rounds; ++i) {
    std::scoped_lock held(changed);
    changed.wait_for([] { return !available; });
    available = true;
    say("produced ", i);
    changed.notify();
  }
}

void consume(int rounds) {
  for (int i = 1; i <= rounds; ++i) {
    std::scoped_lock held(changed);
    changed.wait_for([] { return available; });
    available = false;
    say("consumed ", i);
    changed.notify();
  }
}

int main() {
  threading::Thread consumer(consume, 5);
  threading::Thread producer(produce, 5);
  consumer.start();
  producer.start();
}
