#include "tutti/threading/semaphore.h"

#include <string>

#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

bool Semaphore::acquire_timed(bool blocking, Timeout timeout) {
  if (!blocking) {
    if (!timeout.is_forever()) {
      threading::throw_bad_value("can't specify a timeout for a non-blocking acquire");
    }
    return try_acquire();
  }
  if (timeout.nanoseconds() <= 0) return try_acquire();
  const platform::Operation operation("Semaphore.acquire", this);
  return cell_.acquire(timeout.deadline());
}

void Semaphore::throw_bad_value(int value) {
  threading::throw_bad_value("a semaphore's initial value must be >= 0, not " +
                             std::to_string(value));
}

void Semaphore::throw_bad_release(int n) const {
  const std::string name = runtime::describe(runtime::WaitKind::semaphore, this);
  if (n < 1) {
    threading::throw_bad_value("cannot release " + name + " " + std::to_string(n) +
                               " times: n must be one or more");
  }
  threading::throw_bad_value("cannot release " + name + ": its count would pass 2147483647");
}

void BoundedSemaphore::throw_too_many(int n) const {
  threading::throw_bad_value("cannot release " +
                             runtime::describe(runtime::WaitKind::semaphore, this) + " by " +
                             std::to_string(n) + ": released too many times, its count would be " +
                             std::to_string(static_cast<long>(value()) + n) +
                             ", above its initial value " + std::to_string(initial_value_));
}

}  // namespace tutti::inline TUTTI_ABI::threading
