// Condition: whoever waits when it is notified goes on, with the lock; in order; time-outs
// included.
#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;

namespace {

void notifies() {
  threading::Lock lock;
  threading::Condition changed(lock);
  tutti::Shared<bool> is_ready = false;
  together(
      [&] {
        std::scoped_lock held(changed);
        while (!is_ready) changed.wait();
      },
      [&] {
        std::scoped_lock held(changed);
        is_ready = true;
        changed.notify();
      });
  explore::require(!lock.locked());
}

void notifies_all() {
  threading::Lock lock;
  threading::Condition changed(lock);
  tutti::Shared<int> ready = 0;
  const auto wait = [&] {
    std::scoped_lock held(changed);
    while (ready == 0) changed.wait();
    ++ready;
  };
  together(wait, wait, [&] {
    std::scoped_lock held(changed);
    ready = 1;
    changed.notify_all();
  });
  explore::require(ready == 3 && !lock.locked());
}

// A notification goes to one that waits, not to one whose time is over, and is not lost.
void notifies_or_times_out() {
  threading::Lock lock;
  threading::Condition changed(lock);
  tutti::Shared<int> woken = 0;
  tutti::Shared<bool> was_notified = false;
  together(
      [&] {
        std::scoped_lock held(changed);
        if (changed.wait(0.001)) ++woken;
        explore::require(lock.locked());
      },
      [&] {
        std::scoped_lock held(changed);
        was_notified = true;
        changed.notify();
      });
  explore::require(woken <= 1 && !lock.locked());
}

// Two wait, in a known order, one of them for a while; one notification.
void passes_over_who_timed_out() {
  threading::Lock lock;
  threading::Condition changed(lock);
  tutti::Shared<int> waiting = 0;
  tutti::Shared<int> woken = 0;
  together(
      [&] {
        std::scoped_lock held(changed);
        ++waiting;
        if (changed.wait(0.001)) ++woken;
        --waiting;
      },
      [&] {
        std::scoped_lock held(changed);
        const bool waits = waiting == 1;
        changed.notify();
        if (!waits) return;
      });
  explore::require(waiting == 0 && !lock.locked());
}

void wakes_in_order() {
  threading::Lock lock;
  threading::Condition changed(lock);
  tutti::Shared<int> arrived = 0;
  tutti::Shared<int> gone = 0;
  const auto wait = [&] {
    std::scoped_lock held(changed);
    const int rank = arrived++;
    changed.wait();
    const int place = gone++;
    explore::require(rank == place, "the one that waited longer was woken later");
  };
  together(wait, wait, [&] {
    for (;;) {
      std::scoped_lock held(changed);
      if (arrived == 2) break;
      lock.release();
      sleep(0.001);
      lock.acquire();
    }
    std::scoped_lock held(changed);
    changed.notify(2);
  });
}

void lets_two_talk() {
  threading::Condition changed;
  tutti::Shared<int> turn = 0;
  const auto play = [&](int mine) {
    std::scoped_lock held(changed);
    while (turn != mine) changed.wait();
    turn = mine + 1;
    changed.notify_all();
  };
  together([&] { play(0); }, [&] { play(1); });
  explore::require(turn == 2);
}

}  // namespace

std::vector<Proof> condition_proofs() {
  return {
      {"condition notifies", notifies, word_by_word(3)},
      {"condition notifies, relaxed memory", notifies, relaxed_words()},
      {"condition notifies all", notifies_all, word_by_word(1)},
      {"condition notifies or times out", notifies_or_times_out, any_time(word_by_word(2))},
      {"condition passes over a time-out", passes_over_who_timed_out, any_time(word_by_word(2))},
      {"condition wakes in order", wakes_in_order, word_by_word(1)},
      {"condition lets two talk", lets_two_talk, word_by_word(2)},
  };
}

}  // namespace tests
