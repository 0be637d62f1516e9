// Waiting in a test for what another thread does: by looking, never by sleeping long enough.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <string_view>

namespace tests {

using SteadyClock = std::chrono::steady_clock;

/// Returns once `condition()` is true. A test in which that does not happen within a minute can't
/// be brought to an end, since threads are stuck in it: then the program says what each of them
/// does, and aborts.
void until(const std::function<bool()>& condition,
           std::string_view what = "what the test waits for");

/// How long `call()` took.
template <std::invocable Call>
std::chrono::nanoseconds time_of(Call call) {
  const auto begin = SteadyClock::now();
  call();
  return SteadyClock::now() - begin;
}

}  // namespace tests
