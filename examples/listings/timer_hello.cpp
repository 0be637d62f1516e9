// A timer calls a function after its interval; a cancelled one never does.
//
//     hello, the interval has passed: True
//     the cancelled timer is alive: False
#include <tutti/tutti.h>

#include <chrono>

#include "pace.h"

using namespace tutti;
using Clock = std::chrono::steady_clock;

int main() {
  const auto begin = Clock::now();
  threading::Timer hello(seconds(3), [begin] {
    const std::chrono::duration<double> passed = Clock::now() - begin;
    say("hello, the interval has passed: ", passed.count() >= seconds(3));
  });
  threading::Timer cancelled(seconds(30000), [] { say("never said"); });
  hello.start();
  cancelled.start();
  hello.join();
  cancelled.cancel();
  cancelled.join();
  say("the cancelled timer is alive: ", cancelled.is_alive());
}
