// From an exception that leaves a thread to the excepthook.
#include "threading/report_exception.h"

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
      std::string text = "Exception in threading.excepthook: ";
      platform::print_error(text.append(error.what()).append("\n").c_str());
      default_excepthook(args);
    } catch (...) {
      platform::print_error("Exception in threading.excepthook\n");
      default_excepthook(args);
    }
  } catch (...) {
    platform::print_error("tutti: no memory to report an exception in a thread\n");
  }
}

}  // namespace tutti::inline TUTTI_ABI::threading
