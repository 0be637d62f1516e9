// Time-outs and sleeping.
#pragma once

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI {

/// How long a call may wait: seconds as any number, or any std::chrono::duration.
///
///     lock.acquire(0.5);  event.wait(20ms);  thread.join(5);  queue.get(tutti::forever);
///
/// Left out, `tutti::forever` and `std::nullopt` mean no limit, as Python's None does; so does
/// infinity. 0 polls. What a negative value means is the called function's affair. Values beyond
/// ±292 years saturate. Throws ValueError for NaN. Thread-safe, a plain value.
class Timeout {
 public:
  constexpr Timeout() noexcept = default;
  constexpr Timeout(std::nullopt_t) noexcept {}

  template <typename Number>
  requires(std::integral<Number> || std::floating_point<Number>) &&
      (!std::same_as<Number, bool>)constexpr Timeout(Number seconds)
      : nanoseconds_(saturate(static_cast<long double>(seconds) * 1e9L)) {}

  template <typename Rep, typename Period>
  constexpr Timeout(std::chrono::duration<Rep, Period> duration)
      : nanoseconds_(saturate(std::chrono::duration<long double, std::nano>(duration).count())) {}

  constexpr bool is_forever() const noexcept { return nanoseconds_ == no_limit; }
  constexpr bool is_negative() const noexcept { return nanoseconds_ < 0; }
  /// Nanoseconds; the largest value stands for "no limit".
  constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }
  /// The moment on the monotonic clock, in nanoseconds, at which this time-out, started now, ends:
  /// the past for a negative one, platform::never without a limit.
  std::int64_t deadline() const noexcept;

 private:
  static constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t saturate(long double nanoseconds) {
    if (nanoseconds != nanoseconds) throw_not_a_number();
    if (nanoseconds >= static_cast<long double>(no_limit)) return no_limit;
    if (nanoseconds <= -static_cast<long double>(no_limit)) return -no_limit;
    // To the nearest: 0.29 as a double is a little less than 290 ms.
    const auto whole = static_cast<std::int64_t>(nanoseconds + (nanoseconds < 0 ? -0.5L : 0.5L));
    // A wait of a fraction of a nanosecond is still a wait, not a poll.
    if (whole == 0 && nanoseconds != 0) return nanoseconds > 0 ? 1 : -1;
    return whole;
  }
  [[noreturn]] static void throw_not_a_number();

  std::int64_t nanoseconds_ = no_limit;
};

/// The time-out without a limit; what Python calls None.
inline constexpr Timeout forever{};

/// What sleep() does, for a duration that is a Timeout already.
void sleep_for(Timeout duration);

/// Suspends the calling thread for at least `duration`; `sleep(0)` gives other threads a chance.
/// Throws ValueError when it is negative, KeyboardInterrupt in an interrupted main thread.
/// Python counterpart: time.sleep.
///
/// A template, so that next to `using namespace tutti` it is a better match than the C library's
/// sleep(unsigned), which would drop fractions and could not be interrupted.
template <typename Duration>
requires std::constructible_from<Timeout, Duration>
void sleep(Duration duration) {
  sleep_for(Timeout(duration));
}

}  // namespace tutti::inline TUTTI_ABI
