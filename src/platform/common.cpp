// What all floors share.
#include "tutti/platform/common.h"

#include <cxxabi.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <typeinfo>

namespace tutti::inline TUTTI_ABI::platform {

std::string program_name() {
  return program_invocation_short_name;
}

void print_error(const char* text) noexcept {
  // Writing is a point at which a cancelled thread would end, by an exception.
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  std::fputs(text, stderr);
  pthread_setcancelstate(before, nullptr);
}

void write_error(std::string_view text) noexcept {
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  pthread_setcancelstate(before, nullptr);
}

std::string readable_name(const char* mangled) {
  int status = 0;
  char* readable = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
  if (readable == nullptr) return mangled;
  std::string name = readable;
  std::free(readable);
  return name;
}

std::string current_exception_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type == nullptr ? "an exception of another language" : readable_name(type->name());
}

std::string describe_current_exception() {
  const std::string type = current_exception_type();
  try {
    throw;
  } catch (const std::exception& error) {
    return type + ": " + error.what();
  } catch (...) {
    return type;
  }
}

void run_guarded(void (*work)(void*), void (*on_exception)(void*), void (*on_cancel)(void*),
                 void* argument) {
  try {
    work(argument);
  } catch (abi::__forced_unwind&) {
    on_cancel(argument);
    throw;
  } catch (...) {
    on_exception(argument);
  }
}

}  // namespace tutti::inline TUTTI_ABI::platform
