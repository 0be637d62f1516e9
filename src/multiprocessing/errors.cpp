#include "multiprocessing/errors.h"

#include <cerrno>
#include <cstring>

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

const char* advice(int error) noexcept {
  switch (error) {
    case EAGAIN:
      return "; the limit of processes is reached (ulimit -u, pids.max of the control group)";
    case ENOMEM:
      return "; there is not enough memory for another process";
    case EMFILE:
      return "; this process has as many descriptors open as it may (ulimit -n)";
    case ENFILE:
      return "; the system has as many files open as it may (fs.file-max)";
    default:
      return "";
  }
}

}  // namespace

void throw_os_error(std::string_view what, int error) {
  throw OSError(std::string(what) + ": " + std::strerror(error) + advice(error), error);
}

std::string described(std::string_view process_name) {
  return "process '" + std::string(process_name) + "'";
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
