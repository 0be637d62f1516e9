#include "queue/tasks.h"

#include <algorithm>

namespace tutti::inline TUTTI_ABI::queue {

using runtime::GuardHolder;

// acquire: pairs with the release of the put. Who got an item has seen the put of it, so whoever
// says that it is done finds it counted.
std::uint64_t Tasks::left() noexcept {
  if (done_ == known_put_) known_put_ = put_.load(platform::acquire);
  return known_put_ - done_;
}

bool Tasks::finish_one() noexcept {
  ToWake to_wake;
  const GuardHolder held(guard_);
  if (left() == 0) return false;
  ++done_;
  if (left() == 0) to_wake.add_all(joiners_, Outcome::served);
  return true;
}

void Tasks::discount_one() noexcept {
  const GuardHolder held(guard_);
  known_put_ = put_.load(platform::acquire);
  ++done_;
}

void Tasks::drop(std::uint64_t dropped) noexcept {
  ToWake to_wake;
  const GuardHolder held(guard_);
  known_put_ = put_.load(platform::acquire);
  done_ += std::min(known_put_ - done_, dropped);
  to_wake.add_all(joiners_, Outcome::served);
}

void Tasks::join(runtime::Self& self, const void* queue) {
  Waiting waiting(self, runtime::WaitKind::queue_join, queue, nullptr);
  {
    const GuardHolder held(guard_);
    if (left() == 0) return;
    joiners_.push_back(waiting);
  }
  wait_in_line(waiting, platform::never, runtime::Spinning::allowed, [&] {
    const GuardHolder held(guard_);
    const bool leaves = waiting.outcome == Outcome::waits;
    if (leaves) joiners_.remove(waiting);
    return leaves;
  });
}

bool Tasks::are_done() const noexcept {
  return put_.load(platform::relaxed) == done_;
}

}  // namespace tutti::inline TUTTI_ABI::queue
