#include "multiprocessing/connection_state.h"

#include <cerrno>
#include <cstring>

#include "runtime/describe.h"
#include "runtime/descriptor_wait.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

std::string reason_of(int error) {
  return std::strerror(error);
}

std::string refusal(std::string_view what, int descriptor, std::string_view why) {
  std::string text = "can't ";
  text.append(what)
      .append(" Connection of descriptor ")
      .append(std::to_string(descriptor))
      .append(": ")
      .append(why);
  return text + runtime::in_calling_thread();
}

void throw_closed(const char* what) {
  throw OSError(std::string("can't ") + what + " a Connection: handle is closed" +
                    runtime::in_calling_thread(),
                EBADF);
}

bool wait_for(std::span<platform::Watched> watched, std::int64_t deadline) {
  runtime::Self& self = runtime::self();
  const runtime::DescriptorWait wait = runtime::wait_for_descriptors(self, watched, deadline);
  runtime::stop_or_throw(self, wait.ended);
  if (wait.error != 0) {
    throw OSError(
        "can't wait for descriptors: " + reason_of(wait.error) + runtime::in_calling_thread(),
        wait.error);
  }
  return wait.ended != runtime::Ended::timed_out;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
