#include "tutti/signal.h"

#include <cstring>
#include <string>

#include "runtime/waiting.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI {

namespace {

// Async-signal-safe.
void on_interrupt() {
  // The main thread has not come to a blocking call since the last one: it may never.
  if (runtime::is_interrupt_pending()) platform::die_of_sigint();
  runtime::interrupt_main();
}

}  // namespace

void handle_sigint() {
  if (const int error = platform::on_sigint(on_interrupt); error != 0) {
    throw RuntimeError(std::string("can't handle SIGINT: ") + std::strerror(error));
  }
}

}  // namespace tutti::inline TUTTI_ABI
