// Time-outs as deadlines, and sleeping.
#include "tutti/time.h"

#include "runtime/waiting.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI {

void Timeout::throw_not_a_number() {
  threading::throw_bad_value("a timeout can't be NaN");
}

std::int64_t Timeout::deadline() const noexcept {
  if (is_forever()) return platform::never;
  if (nanoseconds_ <= 0) return 0;
  const std::int64_t now = platform::now();
  return nanoseconds_ > platform::never - now ? platform::never : now + nanoseconds_;
}

void sleep_for(Timeout duration) {
  if (duration.is_negative()) threading::throw_bad_value("sleep length must be non-negative");
  runtime::Self& self = runtime::self();
  runtime::check_interrupt(self);
  if (duration.nanoseconds() == 0) return platform::yield();
  const platform::Operation operation("sleep", nullptr, platform::Access::none);
  runtime::prepare_to_wait(self);
  const runtime::Ended ended = runtime::wait_for_wake(
      self, runtime::Reason(runtime::WaitKind::sleep, nullptr), duration.deadline());
  runtime::stop_or_throw(self, ended);
}

}  // namespace tutti::inline TUTTI_ABI
