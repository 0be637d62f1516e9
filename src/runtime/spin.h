// Spinning for as long as it pays, and no longer.
//
// Competitive spinning (Karlin, Li, Manasse, Owicki 1991): a waiter that spins for as long as
// parking would cost takes at most twice the time of the best choice made with hindsight. What
// parking costs is measured whenever a parked thread is woken. Where spinning has not paid lately,
// the time is halved again and again, with a full try now and then.
#pragma once

#include <cstdint>

#include "runtime/load.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// How long to spin for `object`, in nanoseconds.
std::int64_t spin_budget(const void* object) noexcept;
void learn_spin(const void* object, bool paid) noexcept;
/// Tells how long it took from wake() until the parked thread ran, in nanoseconds.
void learn_park_cost(std::int64_t cost) noexcept;

/// How a spinning thread passes the time between two looks.
enum class Looks {
  /// Short and even: for a word that nobody else is busy with.
  steady,
  /// Longer and longer: for a word that its owner is writing to, whom each look costs a cache miss.
  ever_rarer,
  /// Even, with some time between: each look is a system call.
  dear,
};

/// Spins until `done()`, until `deadline`, or until parking looks better. Returns done().
template <Looks looks, typename Done>
bool spin(const void* object, std::int64_t deadline, Done done) {
  // A pause instruction takes some 40 ns. In 16 of them the owner of a lock gets things done; were
  // it looked at more often at first, the lock would change hands at each look, and its cache line
  // too.
  constexpr int shortest_pause = looks == Looks::steady ? 1 : looks == Looks::dear ? 4 : 16;
  constexpr int longest_pause = looks == Looks::ever_rarer ? 256 : shortest_pause;
  constexpr int pauses_between_clocks = 32;
  if (!platform::can_spin || !is_core_free()) return done();
  const std::int64_t begin = platform::now();
  const std::int64_t budget = spin_budget(object);
  const std::int64_t end = deadline - begin < budget ? deadline : begin + budget;
  int pause = shortest_pause;
  do {
    for (int pauses = 0; pauses < pauses_between_clocks; pauses += pause) {
      if (done()) {
        learn_spin(object, true);
        return true;
      }
      for (int i = 0; i < pause; ++i) platform::relax();
      if (pause < longest_pause) pause *= 2;
    }
  } while (platform::now() < end && is_core_free());
  learn_spin(object, false);
  return false;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
