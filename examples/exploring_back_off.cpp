// A client that asks again and again, with longer and longer pauses, until its server has started:
// an hour of it, in virtual time, in every order in which the two can come.
#include <tutti/explore.h>
#include <tutti/tutti.h>

#include <algorithm>
#include <chrono>
#include <iostream>

using namespace tutti;
using namespace std::chrono_literals;

int main() {
  int most_tries = 0;
  const auto result = explore::check([&] {
    threading::Event started;
    threading::Thread server([&] {
      sleep(1h);
      started.set();
    });
    server.start();
    int tries = 1;
    for (auto pause = 1s; !started.wait(pause) && pause < 30min; pause *= 2) ++tries;
    server.join();
    most_tries = std::max(most_tries, tries);
  });
  std::cout << (result && result.exhausted ? "no failure in any order" : "not proved")
            << "; at most " << most_tries << " tries\n";
}
