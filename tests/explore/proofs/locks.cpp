// Lock and RLock: one owner at a time, who sees what the last one wrote; nobody forgotten.
#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;

namespace {

// What a lock guards in most of these.
struct Counted {
  threading::Lock lock;
  tutti::Shared<int> count = 0;

  void add() {
    lock.acquire();
    ++count;
    lock.release();
  }
};

void excludes() {
  Counted counted;
  const auto work = [&] { counted.add(); };
  together(work, work);
  explore::require(counted.count == 2 && !counted.lock.locked());
}

void excludes_three() {
  Counted counted;
  const auto work = [&] { counted.add(); };
  together(work, work, work);
  explore::require(counted.count == 3 && !counted.lock.locked());
}

// The one who waits is starving when the lock is released, so it is handed over.
void hands_over() {
  Counted counted;
  const auto work = [&] { counted.add(); };
  together(
      [&] {
        counted.lock.acquire();
        sleep(0.001);
        ++counted.count;
        counted.lock.release();
        work();
      },
      work, work);
  explore::require(counted.count == 4 && !counted.lock.locked());
}

void times_out_or_acquires() {
  threading::Lock lock;
  tutti::Shared<int> count = 0;
  int timed_out = 0;
  together(
      [&] {
        lock.acquire();
        ++count;
        lock.release();
      },
      [&] {
        if (lock.acquire(0.001)) {
          ++count;
          lock.release();
        } else {
          ++timed_out;
        }
      });
  explore::require(count + timed_out == 2 && !lock.locked());
}

// Three, of whom one gives up: those behind it must not be forgotten.
void forgets_nobody_behind_one_that_times_out() {
  threading::Lock lock;
  const auto work = [&] {
    lock.acquire();
    lock.release();
  };
  together(
      work,
      [&] {
        if (lock.acquire(0.001)) lock.release();
      },
      work);
  explore::require(!lock.locked());
}

void signals() {
  threading::Lock lock;
  tutti::Shared<int> value = 0;
  lock.acquire();
  together(
      [&] {
        value = 1;
        lock.release();
      },
      [&] {
        lock.acquire();
        explore::require(value == 1);
      });
}

void tries() {
  threading::Lock lock;
  tutti::Shared<int> count = 0;
  const auto work = [&] {
    if (!lock.acquire(false)) return;
    ++count;
    lock.release();
  };
  together(work, work);
  explore::require(count >= 1 && !lock.locked());
}

void recurses() {
  threading::RLock lock;
  tutti::Shared<int> count = 0;
  const auto work = [&] {
    std::scoped_lock outer(lock);
    std::scoped_lock inner(lock);
    ++count;
  };
  together(work, work);
  explore::require(count == 2 && !lock.locked());
}

}  // namespace

std::vector<Proof> lock_proofs() {
  return {
      {"lock excludes", excludes, word_by_word()},
      {"lock excludes, relaxed memory", excludes, relaxed_words()},
      {"lock excludes three", excludes_three, word_by_word(2)},
      {"lock hands over", hands_over, word_by_word(1)},
      {"lock times out or is acquired", times_out_or_acquires, any_time(word_by_word())},
      {"lock forgets nobody behind a time-out", forgets_nobody_behind_one_that_times_out,
       any_time(word_by_word(2))},
      {"lock signals", signals, word_by_word()},
      {"lock tried", tries, word_by_word()},
      {"rlock recurses", recurses, word_by_word()},
  };
}

}  // namespace tests
