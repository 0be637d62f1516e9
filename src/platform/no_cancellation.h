// System calls out of which a cancelled thread must not end.
#pragma once

#include <pthread.h>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

/// While it lives, no system call is one at which a cancelled thread would end by an exception, out
/// of functions that throw none: such a thread ends at the next one outside instead.
class NoCancellation {
 public:
  NoCancellation() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NoCancellation() { pthread_setcancelstate(before_, nullptr); }
  NoCancellation(const NoCancellation&) = delete;
  NoCancellation& operator=(const NoCancellation&) = delete;

 private:
  int before_ = 0;
};

}  // namespace tutti::inline TUTTI_ABI::platform
