#include "runtime/descriptor_wait.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "runtime/detector.h"
#include "runtime/load.h"
#include "runtime/trace.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

// As long as the main thread is in poll(), its bell hangs here, for interrupt_main() to ring.
constinit atomic<int> bell_of_main{-1};
// Those that may have seen the bell, and ring it: it isn't taken down under their hands.
constinit atomic<int> ringers{0};

// Async-signal-safe.
void ring_for_main() noexcept {
  ringers.fetch_add(1, platform::seq_cst);
  const int bell = bell_of_main.load(platform::seq_cst);
  if (bell >= 0) platform::ring(bell);
  ringers.fetch_sub(1, platform::release);
}

// Hung up for as long as this lives. Made for each wait: kept, it would be a descriptor that the
// program never opened, and that a fork's child shared with its parent.
class Bell {
 public:
  Bell() noexcept : descriptor_(platform::make_bell()) {
    // seq_cst, each: Dekker's pattern with interrupt_main(). Either that sees the bell, or the wait
    // sees that an interruption is pending.
    bell_of_main.store(descriptor_, platform::seq_cst);
  }
  ~Bell() {
    bell_of_main.store(-1, platform::seq_cst);
    // Pairs with the end of ring_for_main(). Those that come later see no bell.
    while (ringers.load(platform::seq_cst) != 0) platform::yield();
    if (descriptor_ >= 0) platform::close_descriptor(descriptor_);
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

// For its time the thread is not one that could use a core.
class Elsewhere {
 public:
  Elsewhere(Self& self, const Reason& reason, std::int64_t deadline) noexcept
      : self_(self), is_io_(reason.kind.load(platform::relaxed) == WaitKind::io) {
    if (++self.blocking_elsewhere == 1) {
      count_runnable(-1);
      if (is_io_ && trace::is_on()) trace::begins_io();
    }
    publish_record(*self.slot, reason, deadline);
  }
  ~Elsewhere() {
    if (--self_.blocking_elsewhere == 0) {
      count_runnable(1);
      if (is_io_ && trace::is_on()) trace::ends_io();
    }
    restore_record(self_);
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

 private:
  Self& self_;
  const bool is_io_;
};

DescriptorWait result_of(int error) {
  if (error == ETIMEDOUT) return {Ended::timed_out, 0};
  return {Ended::woken, error};
}

// Looks around now and then whether the process that it waits for can still end. It can't be woken
// to answer the questions of others, so it looks at least once a second; and it never throws.
class Watch {
 public:
  Watch(Self& self, const Reason& reason, std::int64_t deadline) noexcept {
    const bool may_be_in_ring = reason.kind.load(platform::relaxed) == WaitKind::process;
    if (platform::needs_detector && may_be_in_ring && deadline == platform::never) {
      lookout_.emplace(self, deadline, false);
      latest_ = platform::now() + longest_step;
    }
  }

  /// As platform::poll_until().
  int poll_until(std::span<platform::Watched> watched, std::int64_t deadline) {
    for (;;) {
      const std::int64_t due = lookout_ ? std::min(lookout_->due(), latest_) : platform::never;
      const int error = platform::poll_until(watched, std::min(deadline, due));
      if (error != ETIMEDOUT || platform::now() < due) return error;
      lookout_->look();
      latest_ = platform::now() + longest_step;
    }
  }

 private:
  static constexpr std::int64_t longest_step = 1'000'000'000;

  std::optional<Lookout> lookout_;
  /// When it looks at the latest, also if it is called for shorter times.
  std::int64_t latest_ = platform::never;
};

// Without a descriptor left for a bell, the main thread looks up now and then.
constexpr std::int64_t time_between_looks = 50'000'000;

DescriptorWait wait_in_main(Watch& watch, std::span<platform::Watched> watched,
                            std::int64_t deadline) {
  const Bell bell;
  std::vector<platform::Watched> all(watched.begin(), watched.end());
  if (bell.descriptor() >= 0) all.push_back({bell.descriptor(), platform::can_read, 0});
  for (;;) {
    if (is_interrupt_pending()) return {Ended::interrupted, 0};
    const std::int64_t look = bell.descriptor() >= 0
                                  ? deadline
                                  : std::min(deadline, platform::now() + time_between_looks);
    const int error = watch.poll_until(all, look);
    if (error == ETIMEDOUT && platform::now() < deadline) continue;
    std::copy_n(all.begin(), watched.size(), watched.begin());
    if (is_interrupt_pending()) return {Ended::interrupted, 0};
    return result_of(error);
  }
}

DescriptorWait wait_elsewhere(Self& self, std::span<platform::Watched> watched,
                              std::int64_t deadline, const Reason& reason) {
  const Elsewhere waits(self, reason, deadline);
  Watch watch(self, reason, deadline);
  if (!self.is_main) return result_of(watch.poll_until(watched, deadline));
  at_interrupt(ring_for_main);
  return wait_in_main(watch, watched, deadline);
}

}  // namespace

DescriptorWait wait_for_descriptors(Self& self, std::span<platform::Watched> watched,
                                    std::int64_t deadline, const Reason& reason) {
  if (self.is_main && is_interrupt_pending()) return {Ended::interrupted, 0};
  const WaitKind kind = reason.kind.load(platform::relaxed);
  if (kind == WaitKind::io) return wait_elsewhere(self, watched, deadline, reason);
  const trace::Wait traced(kind, reason.object.load(platform::relaxed));
  return wait_elsewhere(self, watched, deadline, reason);
}

void forget_bell_after_fork() noexcept {
  // The thread that waited is the parent's; its bell is ours to close.
  const int bell = bell_of_main.exchange(-1, platform::relaxed);
  ringers.store(0, platform::relaxed);
  if (bell >= 0) platform::close_descriptor(bell);
}

}  // namespace tutti::inline TUTTI_ABI::runtime
