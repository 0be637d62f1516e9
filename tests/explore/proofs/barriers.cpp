// Barrier: all go on when the last has come, round after round; or all know that it broke.
#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;
using threading::BrokenBarrierError;

namespace {

// True if the wait ended well.
bool wait_at(threading::Barrier& barrier) {
  try {
    barrier.wait();
    return true;
  } catch (const BrokenBarrierError&) {
    return false;
  }
}

void lets_all_go() {
  threading::Barrier barrier(2);
  tutti::Shared<int> left = 0;
  tutti::Shared<int> right = 0;
  together(
      [&] {
        left = 1;
        barrier.wait();
        explore::require(right == 1);
      },
      [&] {
        right = 1;
        barrier.wait();
        explore::require(left == 1);
      });
}

void goes_round() {
  threading::Barrier barrier(2);
  const auto work = [&] {
    barrier.wait();
    barrier.wait();
  };
  together(work, work);
  explore::require(barrier.n_waiting() == 0 && !barrier.broken());
}

void ranks() {
  threading::Barrier barrier(3);
  tutti::atomic<int> sum = 0;
  const auto work = [&] { sum += 1 << barrier.wait(); };
  together(work, work, work);
  explore::require(sum == 7);
}

void acts_once() {
  int acts = 0;
  threading::Barrier barrier(2, [&acts] { ++acts; });
  const auto work = [&] {
    barrier.wait();
    explore::require(acts == 1);
  };
  together(work, work);
}

void aborts() {
  threading::Barrier barrier(2);
  together([&] { explore::require(!wait_at(barrier)); }, [&] { barrier.abort(); });
  explore::require(barrier.broken());
}

void resets() {
  threading::Barrier barrier(2);
  tutti::atomic<int> well = 0;
  const auto work = [&] {
    if (wait_at(barrier)) ++well;
  };
  together(
      [&] {
        // One that is reset comes again.
        while (!wait_at(barrier)) {
        }
        ++well;
      },
      [&] {
        barrier.reset();
        work();
      });
  explore::require(well == 2 && !barrier.broken() && barrier.n_waiting() == 0);
}

void times_out_for_all() {
  threading::Barrier barrier(2);
  tutti::atomic<int> well = 0;
  const auto work = [&](Timeout timeout) {
    try {
      barrier.wait(timeout);
      ++well;
    } catch (const BrokenBarrierError&) {
      explore::require(barrier.broken());
    }
  };
  together([&] { work(0.001); }, [&] { work(forever); });
  explore::require(well == (barrier.broken() ? 0 : 2));
}

// Two of three come: who waits without limit learns that the other has given up.
void times_out_for_who_has_no_limit() {
  threading::Barrier barrier(3);
  together(
      [&] {
        try {
          barrier.wait(0.001);
        } catch (const BrokenBarrierError&) {
          explore::require(barrier.broken());
        }
      },
      [&] { explore::require(!wait_at(barrier)); });
}

}  // namespace

std::vector<Proof> barrier_proofs() {
  return {
      {"barrier lets all go", lets_all_go, word_by_word()},
      {"barrier goes round", goes_round, word_by_word(2)},
      {"barrier ranks", ranks, word_by_word(1)},
      {"barrier acts once", acts_once, word_by_word(2)},
      {"barrier aborts", aborts, word_by_word()},
      {"barrier resets", resets, word_by_word(2)},
      {"barrier times out for all", times_out_for_all, any_time(word_by_word(2))},
      {"barrier times out for who has no limit", times_out_for_who_has_no_limit,
       any_time(word_by_word())},
  };
}

}  // namespace tests
