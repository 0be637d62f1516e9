#include "support/until.h"

#include <cstdlib>
#include <iostream>
#include <thread>

#include "tutti/inspect.h"

namespace tests {

void until(const std::function<bool()>& condition, std::string_view what) {
  // Far longer than anything here takes, on however busy a machine.
  const auto end = SteadyClock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (SteadyClock::now() > end) {
      std::cerr << "gave up waiting for: " << what << "; the threads are:\n";
      tutti::inspect::dump(std::cerr);
      std::abort();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

}  // namespace tests
