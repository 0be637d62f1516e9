// What tutti's own primitives promise, as programs to be explored word by word.
//
// The tests run each proof in full; scripts/mutants plants bugs into the primitives and looks which
// proof finds each, by which strategy and how soon.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "explore/support.h"
#include "tutti/explore.h"
#include "tutti/tutti.h"

namespace tests {

struct Proof {
  std::string name;
  void (*body)();
  tutti::explore::Options options;
};

inline std::ostream& operator<<(std::ostream& stream, const Proof& proof) {
  return stream << proof.name;
}

std::vector<Proof> lock_proofs();
std::vector<Proof> semaphore_and_event_proofs();
std::vector<Proof> condition_proofs();
std::vector<Proof> barrier_proofs();
std::vector<Proof> thread_proofs();
std::vector<Proof> queue_proofs();
std::vector<Proof> future_proofs();

/// All of them.
std::vector<Proof> proofs();

/// How most are explored: at word grain, all schedules.
tutti::explore::Options word_by_word();
/// The same, with time-outs that may end at any moment.
tutti::explore::Options any_time(tutti::explore::Options options);
/// For those with too many schedules: all with at most so many preemptions.
tutti::explore::Options word_by_word(unsigned preemptions);
/// With stale loads there are too many for all: so many at random.
tutti::explore::Options relaxed_words();

}  // namespace tests
