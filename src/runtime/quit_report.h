// What `kill -QUIT` prints: what each thread of the program does, while the program goes on.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// Has SIGQUIT print the report, unless the program has been started with TUTTI_QUIT=off, or with
/// SIGQUIT ignored. A handler that the program sets later wins.
void report_on_quit() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
