#include "multiprocessing/polling.h"

#include <algorithm>

#include "platform/process.h"
#include "runtime/load.h"
#include "runtime/trace.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using platform::Readable;
using runtime::Ended;

// An interruption does not make a descriptor readable, so the main thread looks for one now and
// then. Ctrl-C, whose handler runs in that thread, ends its sleep at once.
constexpr std::int64_t between_looks = 50'000'000;

Ended wait(const runtime::Self& self, int descriptor, std::int64_t deadline) noexcept {
  for (;;) {
    if (self.is_main && runtime::is_interrupt_pending()) return Ended::interrupted;
    std::int64_t until = deadline;
    if (self.is_main) until = std::min(until, platform::now() + between_looks);
    const Readable readable = platform::wait_until_readable(descriptor, until);
    if (readable == Readable::yes) return Ended::woken;
    if (readable == Readable::timed_out && until == deadline) return Ended::timed_out;
  }
}

}  // namespace

Ended wait_until_readable(runtime::Self& self, int descriptor, const runtime::Reason& reason,
                          std::int64_t deadline) noexcept {
  if (deadline <= platform::now()) {
    const Readable readable = platform::wait_until_readable(descriptor, 0);
    return readable == Readable::yes ? Ended::woken : Ended::timed_out;
  }
  const runtime::trace::Wait traced(reason.kind.load(platform::relaxed),
                                    reason.object.load(platform::relaxed));
  runtime::prepare_to_wait(self);
  runtime::publish_record(*self.slot, reason, deadline);
  runtime::count_runnable(-1);
  const Ended ended = wait(self, descriptor, deadline);
  runtime::count_runnable(1);
  runtime::restore_record(self);
  return ended;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
