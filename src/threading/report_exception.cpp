// From an exception that leaves a thread to the excepthook.
#include "threading/report_exception.h"

#include <cstdio>
#include <string>
#include <utility>

#include "tutti/platform/floor.h"
#include "tutti/threading/excepthook.h"

namespace tutti::inline TUTTI_ABI::threading {

void report_exception(std::exception_ptr exception, Thread thread) noexcept {
  try {
    ExceptHookArgs args{platform::current_exception_type(), std::move(exception),
                        std::move(thread)};
    try {
      excepthook(args);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "Exception in threading.excepthook: %s\n", error.what());
      default_excepthook(args);
    } catch (...) {
      std::fputs("Exception in threading.excepthook\n", stderr);
      default_excepthook(args);
    }
  } catch (...) {
    std::fputs("tutti: no memory to report an exception in a thread\n", stderr);
  }
}

}  // namespace tutti::inline TUTTI_ABI::threading
