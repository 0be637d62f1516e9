#include "multiprocessing/shared_lock_cell.h"

#include <optional>

#include "runtime/life.h"
#include "runtime/shared_waiting.h"
#include "runtime/spin.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

// How long a waiter may be overtaken before newcomers have to wait behind it.
constexpr std::int64_t starving_after = 500'000;

}  // namespace

runtime::ThreadId SharedLockCell::owner_id(std::uint32_t word) noexcept {
  return is_free(word) || owner_of(word) == signal_held ? 0 : word >> owner_shift;
}

runtime::ThreadId SharedLockCell::owner() const noexcept {
  // acquire: pairs with the release of the take, for those who ask whether it is dead.
  return owner_id(word_.load(platform::acquire));
}

bool SharedLockCell::is_mine() const noexcept {
  const runtime::Self* self = runtime::registered_self();
  return self != nullptr && owner() == self->id;
}

// --- waiting -------------------------------------------------------------------------------------

/// What one thread in the slow path knows of itself.
class SharedLockCell::Wait {
 public:
  Wait(SharedLockCell& cell, runtime::ThreadId me) noexcept : word_(cell.word_), me_(me) {}

  /// What has become of a try; nothing if the lock is another's.
  std::optional<Acquisition> try_take(bool may_barge) noexcept {
    // acquire: pairs with the release of the owner's take, for is_dead().
    std::uint32_t word = word_.load(platform::acquire);
    for (;;) {
      const runtime::ThreadId owner = owner_id(word);
      const bool inherits = owner != 0 && owner != me_ && runtime::is_dead(owner);
      if (!inherits && !may_take(word, may_barge)) return std::nullopt;
      if (word_.compare_exchange_weak(word, taken(word), platform::acq_rel, platform::acquire)) {
        if (inherits) return Acquisition{Taken::from_the_dead, owner};
        return Acquisition{Taken::yes};
      }
    }
  }

  /// Says in the word that there is somebody to wake, and returns it; nothing if there may be no
  /// need to sleep.
  std::optional<std::uint32_t> mark(bool is_starving) noexcept {
    std::uint32_t word = word_.load(platform::relaxed);
    while (!may_take(word, false)) {
      const bool reserves = is_starving && has_slept_ && (word & reserve_bit) == 0;
      const std::uint32_t marked = word | waiters_bit | (reserves ? reserve_bit : 0);
      // relaxed: a release reads the bits by a compare-exchange of the same word.
      if (marked == word ||
          word_.compare_exchange_weak(word, marked, platform::relaxed, platform::relaxed)) {
        has_reserved_ = has_reserved_ || reserves;
        return marked;
      }
    }
    return std::nullopt;
  }

  /// After a sleep on a word that was as `marked`.
  void has_slept_on(std::uint32_t marked) noexcept {
    has_slept_ = true;
    // Those for whom it is reserved have not taken it: they are gone.
    is_reserve_stale_ = is_free(marked) && word_.load(platform::relaxed) == marked;
  }

  /// By one that leaves without the lock. It may have swallowed a wake, or the bit that the next
  /// release would have seen.
  void give_up() noexcept {
    if (!has_slept_) return;
    std::uint32_t word = word_.load(platform::relaxed);
    std::uint32_t left;
    do {
      left = (has_reserved_ ? word & ~reserve_bit : word) | waiters_bit;
    } while (left != word &&
             !word_.compare_exchange_weak(word, left, platform::relaxed, platform::relaxed));
    if (is_free(left)) runtime::wake_shared_word(word_, 1);
  }

 private:
  bool may_take(std::uint32_t word, bool may_barge) const noexcept {
    return is_free(word) && ((word & reserve_bit) == 0 || may_barge || has_slept_);
  }
  std::uint32_t taken(std::uint32_t word) const noexcept {
    const std::uint32_t owner = owner_of(word) == signal_free ? signal_held : me_ << owner_shift;
    const bool ends_reserve = has_reserved_ || is_reserve_stale_;
    return owner | (word & waiters_bit) | (ends_reserve ? 0 : word & reserve_bit) |
           (has_slept_ ? waiters_bit : 0);
  }

  platform::atomic<std::uint32_t>& word_;
  const runtime::ThreadId me_;
  bool has_slept_ = false;
  bool has_reserved_ = false;
  bool is_reserve_stale_ = false;
};

bool SharedLockCell::try_acquire_slow() {
  const runtime::Self& self = runtime::self();
  std::uint32_t word = word_.load(platform::relaxed);
  while (is_free(word)) {
    const std::uint32_t owner =
        owner_of(word) == signal_free ? signal_held : self.id << owner_shift;
    if (word_.compare_exchange_weak(word, owner | (word & ~owner_mask), platform::acq_rel,
                                    platform::relaxed)) {
      return true;
    }
  }
  return false;
}

Acquisition SharedLockCell::acquire_slow(std::int64_t deadline, Shown shown,
                                         runtime::Interrupts interrupts) {
  using runtime::Ended;
  runtime::Self& self = runtime::self();
  Wait me(*this, self.id);
  const std::int64_t since = platform::now();
  const bool is_poll = deadline <= since;
  if (const auto taken = me.try_take(is_poll)) return *taken;
  if (is_poll) return {Taken::timed_out};
  if (interrupts == runtime::Interrupts::heeded) runtime::check_interrupt(self);
  const runtime::Reason reason(shown.kind, shown.object == nullptr ? this : shown.object,
                               platform::Reach::machine);
  std::optional<runtime::SharedWait> wait;
  std::optional<Acquisition> taken;
  Ended ended = Ended::woken;
  while (true) {
    if (runtime::spin<runtime::Looks::ever_rarer>(
            this, deadline, [&] { return (taken = me.try_take(false)).has_value(); })) {
      break;
    }
    if (!wait) wait.emplace(self, reason, deadline, interrupts, runtime::Spinning::done);
    const auto marked = me.mark(platform::now() - since > starving_after);
    if (!marked) continue;
    ended = wait->sleep_on(word_, *marked, owner_id(*marked));
    me.has_slept_on(*marked);
    if (ended == Ended::woken) continue;
    // The last try, for the wake may have come at the same time.
    if (ended == Ended::timed_out) taken = me.try_take(true);
    if (!taken) me.give_up();
    break;
  }
  wait.reset();
  if (runtime::must_stop(self)) {
    if (taken && taken->taken == Taken::from_the_dead) {
      disclaim(taken->last_owner);
    } else if (taken) {
      release_slow();
    }
    runtime::stop_for_good(self);
  }
  if (!taken) runtime::throw_if_broken_off(self, ended);
  return taken.value_or(Acquisition{Taken::timed_out});
}

// --- release -------------------------------------------------------------------------------------

void SharedLockCell::disclaim(runtime::ThreadId dead) noexcept {
  std::uint32_t word = word_.load(platform::relaxed);
  // release: pairs with the acquire of the next heir, who asks whether the owner is dead.
  while (!word_.compare_exchange_weak(word, dead << owner_shift | (word & ~owner_mask),
                                      platform::release, platform::relaxed)) {
  }
  if ((word & waiters_bit) != 0) runtime::wake_shared_word(word_, 1);
}

bool SharedLockCell::release_slow() noexcept {
  const runtime::Self* self = runtime::registered_self();
  std::uint32_t word = word_.load(platform::relaxed);
  std::uint32_t left;
  do {
    if (is_free(word)) return false;
    const bool is_own = self != nullptr && owner_id(word) == self->id;
    left = (is_own ? 0 : signal_free) | (word & reserve_bit);
    // release: pairs with the acquire of whoever takes the lock next.
  } while (!word_.compare_exchange_weak(word, left, platform::release, platform::relaxed));
  if ((word & waiters_bit) != 0) runtime::wake_shared_word(word_, 1);
  return true;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
