#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;

explore::Options word_by_word() {
  return {.grain = explore::Grain::word, .print = false};
}

explore::Options word_by_word(unsigned preemptions) {
  explore::Options options = word_by_word();
  options.preemptions = preemptions;
  return options;
}

explore::Options any_time(explore::Options options) {
  options.timeouts = explore::Timeouts::any_time;
  return options;
}

explore::Options relaxed_words() {
  explore::Options options = word_by_word();
  options.memory = explore::MemoryModel::relaxed;
  options.strategy = explore::Strategy::random;
  options.schedules = 20'000;
  return options;
}

std::vector<Proof> proofs() {
  std::vector<Proof> all;
  for (const auto& part : {lock_proofs(), semaphore_and_event_proofs(), condition_proofs(),
                           barrier_proofs(), thread_proofs(), queue_proofs(), future_proofs()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace tests
