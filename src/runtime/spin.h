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

/// Spins until `done()`, until `deadline`, or until parking looks better. Returns done().
template <typename Done>
bool spin(const void* object, std::int64_t deadline, Done done) {
  if (!is_core_free()) return done();
  const std::int64_t begin = platform::now();
  const std::int64_t budget = spin_budget(object);
  const std::int64_t end = deadline - begin < budget ? deadline : begin + budget;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) {
        learn_spin(object, true);
        return true;
      }
      platform::relax();
    }
  } while (platform::now() < end && is_core_free());
  learn_spin(object, false);
  return false;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
