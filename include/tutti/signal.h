// Ctrl-C as an exception.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI {

/// From now on Ctrl-C (SIGINT) makes the main thread's current or next blocking call throw
/// KeyboardInterrupt, as in Python; a second one before the first was seen ends the program as it
/// does without tutti. Throws RuntimeError if the system refuses.
void handle_sigint();

}  // namespace tutti::inline TUTTI_ABI
