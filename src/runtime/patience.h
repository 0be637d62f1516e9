// Coming a little later, where that pays.
//
// Two sides that follow each other step by step spend their time on fetching each other's cache
// lines. The one that waits therefore tries out whether it finds more if it comes a little later;
// if that brings no more than one, or all that there can be, it has come late for nothing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/load.h"
#include "runtime/spin.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// The patience of one side: how many pauses a thread makes after it has seen what it waited for,
/// so that there is more of it. Other processes may have written anything there.
using Patience = platform::hint<std::uint32_t>;

// A pause takes some 10 to 40 ns: at most about a microsecond.
inline constexpr std::uint32_t most_pauses = 31;

inline std::uint32_t pauses_of(const Patience& patience) noexcept {
  return std::min(patience.load(platform::relaxed), most_pauses);
}

/// By one that has waited and has `found` so many, of `limit` that there can be.
inline void learn_patience(Patience& patience, std::uint64_t found, std::uint64_t limit) noexcept {
  const std::uint32_t known = pauses_of(patience);
  const bool pays = found > 1 && found < limit;
  const std::uint32_t learnt = pays ? std::min(2 * known + 1, most_pauses) : known / 2;
  if (learnt != known) patience.store(learnt, platform::relaxed);
}

/// As spin() with steady looks, but patiently; false at once where no core is free to spin on.
template <typename Done>
bool spin_patiently(const Patience& patience, const void* object, std::int64_t deadline,
                    Done done) {
  if (!platform::can_spin || !is_core_free()) return false;
  const auto let_more_come = [&patience] {
    for (std::uint32_t i = pauses_of(patience); i > 0; --i) platform::relax();
  };
  let_more_come();
  if (done()) return true;
  if (!spin<Looks::steady>(object, deadline, done)) return false;
  let_more_come();
  return true;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
