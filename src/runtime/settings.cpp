#include "runtime/settings.h"

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

std::string_view variable(const char* name) noexcept {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_on(const char* name) noexcept {
  const std::string_view value = variable(name);
  return !value.empty() && value != "0";
}

bool is_off(const char* name) noexcept {
  const std::string_view value = variable(name);
  return value == "off" || value == "0";
}

// The program goes on with the default, for a wrong setting is no reason to stop it.
void complain(const char* name, std::string_view value, const char* expected) noexcept {
  platform::print_error(("tutti: " + std::string(name) + "='" + std::string(value) +
                         "' is ignored: expected " + expected + "\n")
                            .c_str());
}

DeadlockPolicy read_deadlock_policy() noexcept {
  const std::string_view value = variable("TUTTI_DEADLOCK");
  if (value == "report") return DeadlockPolicy::report;
  if (value == "abort") return DeadlockPolicy::abort_program;
  if (value == "off") return DeadlockPolicy::off;
  if (!value.empty() && value != "throw") {
    complain("TUTTI_DEADLOCK", value, "throw, report, abort or off");
  }
  return DeadlockPolicy::throw_error;
}

std::int64_t read_slow_wait() noexcept {
  const std::string_view value = variable("TUTTI_SLOW_WAIT");
  if (value.empty()) return platform::never;
  char* end = nullptr;
  const double milliseconds = std::strtod(value.data(), &end);
  constexpr double most = 1e12;
  if (*end != '\0' || !(milliseconds > 0) || milliseconds > most) {
    complain("TUTTI_SLOW_WAIT", value, "a number of milliseconds above 0");
    return platform::never;
  }
  return static_cast<std::int64_t>(milliseconds * 1e6);
}

std::size_t read_trace_capacity() noexcept {
  constexpr std::size_t usual = 65'536;
  constexpr std::size_t most = 1u << 30;
  const std::string_view value = variable("TUTTI_TRACE_EVENTS");
  if (value.empty()) return usual;
  std::size_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, number);
  if (at == end && error == std::errc() && number >= 1 && number <= most) return number;
  complain("TUTTI_TRACE_EVENTS", value, "a number from 1 to 1073741824");
  return usual;
}

}  // namespace

void read_settings() noexcept {
  deadlock_policy();
  tells_stacks();
  keeps_lock_order();
  suppressed_lock_order();
  is_shown_to_others();
  reports_on_quit();
  trace_path();
  trace_capacity();
  slow_wait();
}

DeadlockPolicy deadlock_policy() noexcept {
  static const DeadlockPolicy policy = read_deadlock_policy();
  return policy;
}

bool tells_stacks() noexcept {
  static const bool tells = is_on("TUTTI_STACKS");
  return tells;
}

bool keeps_lock_order() noexcept {
  // Explored programs go all ways that there are.
  static const bool keeps = platform::needs_detector && is_on("TUTTI_LOCK_ORDER");
  return keeps;
}

std::string_view suppressed_lock_order() noexcept {
  static const std::string_view globs = variable("TUTTI_LOCK_ORDER_SUPPRESS");
  return globs;
}

bool are_locks_watched() noexcept {
  return keeps_lock_order() || (platform::needs_detector && tells_stacks());
}

bool is_shown_to_others() noexcept {
  static const bool is_shown = !is_off("TUTTI_INSPECT");
  return is_shown;
}

bool reports_on_quit() noexcept {
  static const bool reports = !is_off("TUTTI_QUIT");
  return reports;
}

std::string_view trace_path() noexcept {
  static const std::string_view path = variable("TUTTI_TRACE");
  return path;
}

std::size_t trace_capacity() noexcept {
  static const std::size_t capacity = read_trace_capacity();
  return capacity;
}

std::int64_t slow_wait() noexcept {
  static const std::int64_t threshold = read_slow_wait();
  return threshold;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
