#include "tutti/threading/lock.h"

#include "threading/errors.h"
#include "threading/lock_timeout.h"

namespace tutti::inline TUTTI_ABI::threading {

std::optional<std::int64_t> lock_deadline(bool blocking, Timeout timeout) {
  constexpr std::int64_t minus_one = -1'000'000'000;
  const bool is_unlimited = timeout.is_forever() || timeout.nanoseconds() == minus_one;
  if (!blocking) {
    if (!is_unlimited) throw_bad_value("can't specify a timeout for a non-blocking call");
    return std::nullopt;
  }
  if (is_unlimited) return platform::never;
  if (timeout.is_negative()) {
    throw_bad_value("timeout value must be a non-negative number, or -1 for no limit");
  }
  if (timeout.nanoseconds() == 0) return std::nullopt;
  return timeout.deadline();
}

bool Lock::acquire_timed(bool blocking, Timeout timeout) {
  const std::optional<std::int64_t> deadline = lock_deadline(blocking, timeout);
  if (!deadline) return try_acquire();
  const platform::Operation operation("Lock.acquire", this,
                                      *deadline == platform::never ? is_open : nullptr);
  return cell_.acquire(sync::WaitKind::lock, *deadline);
}

void Lock::throw_not_held() const {
  throw_misuse("release", sync::WaitKind::lock, this, "it is not locked");
}

}  // namespace tutti::inline TUTTI_ABI::threading
