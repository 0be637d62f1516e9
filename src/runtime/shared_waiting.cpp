#include "runtime/shared_waiting.h"

#include <algorithm>
#include <array>

#include "platform/park_several.h"
#include "runtime/load.h"
#include "runtime/spin.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

constexpr std::int64_t first_look_after = 10'000'000;
constexpr std::int64_t longest_step = 1'000'000'000;

}  // namespace

SharedWait::SharedWait(Self& self, const Reason& reason, std::int64_t deadline,
                       Interrupts interrupts, Spinning spinning) noexcept
    : self_(self),
      reason_(reason),
      deadline_(deadline),
      interrupts_(interrupts),
      spinning_(spinning),
      traced_(reason.kind.load(platform::relaxed), reason.object.load(platform::relaxed)),
      step_(first_look_after) {
  prepare_to_wait(self);
}

SharedWait::~SharedWait() {
  if (since_ == 0) return;
  reason_.is_published.store(false, platform::relaxed);
  restore_record(self_);
}

bool SharedWait::is_interrupted_now() const noexcept {
  return self_.is_main && interrupts_ == Interrupts::heeded && is_interrupt_pending();
}

void SharedWait::begin_sleeping() noexcept {
  const bool may_fail = interrupts_ == Interrupts::heeded && !self_.must_not_fail;
  publish_record(*self_.slot, reason_, deadline_, may_fail);
  since_ = self_.slot->since.load(platform::relaxed);
  due_ = since_ + step_;
  if constexpr (platform::needs_detector) lookout_.emplace(self_, deadline_, may_fail);
}

Ended SharedWait::sleep_on(platform::atomic<std::uint32_t>& word, std::uint32_t expected,
                           ThreadId holder) noexcept {
  Slot& slot = *self_.slot;
  // acquire: pairs with the release of whoever has changed the word.
  const auto is_ended = [&]() noexcept {
    return word.load(platform::acquire) != expected ||
           slot.wake.load(platform::relaxed) == Wake::interrupted;
  };
  if (is_interrupted_now()) return Ended::interrupted;
  if (std::exchange(spinning_, Spinning::done) == Spinning::allowed &&
      spin<Looks::steady>(&word, deadline_, is_ended) && !is_interrupted_now()) {
    return Ended::woken;
  }
  if (since_ == 0) begin_sleeping();
  std::int64_t until = std::min(deadline_, due_);
  if (lookout_) until = std::min(until, lookout_->due());
  bool in_time = true;
  std::uint32_t state = Wake::watching;
  if (slot.wake.compare_exchange_strong(state, Wake::parked, platform::acq_rel)) {
    const trace::Asleep asleep(reason_);
    count_runnable(-1);
    const std::array<platform::ParkingPlace, 3> places{
        {{word, expected, platform::Reach::machine},
         {slot.wake, Wake::parked, platform::Reach::process},
         {slot.must_look, 0, platform::Reach::machine}}};
    in_time = platform::park_on_several(places, until);
    count_runnable(1);
  }
  // seq_cst: an interrupt_main() that finds the slot interrupted already leaves it alone, and then
  // its flag is seen below; one that comes later finds it watching.
  slot.wake.store(Wake::watching, platform::seq_cst);
  if (is_interrupted_now()) return Ended::interrupted;
  if (word.load(platform::acquire) != expected) return Ended::woken;
  const std::int64_t now = platform::now();
  if (now >= deadline_) return Ended::timed_out;
  if (now >= due_) {
    step_ = std::min(step_ * 2, longest_step);
    due_ = now + step_;
  }
  const SharedHold hold{word, expected, holder};
  if (lookout_ && lookout_->must_look(in_time) && lookout_->look(&hold)) return Ended::failed;
  return Ended::woken;
}

Ended wait_on_shared_word(Self& self, platform::atomic<std::uint32_t>& word, std::uint32_t expected,
                          const Reason& reason, std::int64_t deadline) noexcept {
  return SharedWait(self, reason, deadline).sleep_on(word, expected);
}

void wake_shared_word(platform::atomic<std::uint32_t>& word, int count) noexcept {
  platform::unpark(word, count, platform::Reach::machine);
}

}  // namespace tutti::inline TUTTI_ABI::runtime
