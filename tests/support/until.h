// Waiting in a test for what another thread does: by looking, never by sleeping long enough.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <string_view>

#include "tutti/platform/floor.h"

namespace tests {

#ifdef TUTTI_FLOOR
/// The virtual time of an explored program.
struct SteadyClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SteadyClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept { return time_point(duration(tutti::platform::now())); }
};
#else
using SteadyClock = std::chrono::steady_clock;
#endif

/// Returns once `condition()` is true. A test in which that does not happen within a minute can't
/// be brought to an end, since threads are stuck in it: then the program says what each of them
/// does, and aborts.
void until(const std::function<bool()>& condition,
           std::string_view what = "what the test waits for");

/// Keeps the calling thread busy, without a call of tutti's, for so long.
void be_busy_for(std::chrono::nanoseconds duration);

/// How long `call()` took.
template <std::invocable Call>
std::chrono::nanoseconds time_of(Call call) {
  const auto begin = SteadyClock::now();
  call();
  return SteadyClock::now() - begin;
}

}  // namespace tests
