#include "support/until.h"

#include <cstdlib>
#include <iostream>
#include <thread>

#include "tutti/inspect.h"
#include "tutti/time.h"

namespace tests {

namespace {

void pause() {
  constexpr std::chrono::microseconds a_while(200);
#ifdef TUTTI_FLOOR
  tutti::sleep(a_while);
#else
  // Not ours: the test's own thread is to have no part in what it looks at.
  std::this_thread::sleep_for(a_while);
#endif
}

}  // namespace

void be_busy_for(std::chrono::nanoseconds duration) {
#ifdef TUTTI_FLOOR
  // Virtual time passes only while threads wait.
  tutti::sleep(duration);
#else
  const auto end = SteadyClock::now() + duration;
  while (SteadyClock::now() < end) {
  }
#endif
}

void until(const std::function<bool()>& condition, std::string_view what) {
  // Far longer than anything here takes, on however busy a machine.
  const auto end = SteadyClock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (SteadyClock::now() > end) {
      std::cerr << "gave up waiting for: " << what << "; the threads are:\n";
      tutti::inspect::dump(std::cerr);
      std::abort();
    }
    pause();
  }
}

}  // namespace tests
