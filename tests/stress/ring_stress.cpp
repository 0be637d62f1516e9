// No false alarms among processes: locks in order and with time-outs, by threads of several
// processes, which are killed now and then. Whoever reports a deadlock here is wrong.
#include <array>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "stress/stress.h"
#include "support/forked.h"
#include "tutti/multiprocessing.h"
#include "tutti/tutti.h"

namespace tests {

using tutti::DeadlockError;
using tutti::OwnerDiedError;
using tutti::multiprocessing::Lock;
using tutti::multiprocessing::RLock;
using tutti::threading::Thread;

namespace threading = tutti::threading;

namespace {

struct Told {
  std::atomic<int> rounds{0};
  std::atomic<int> inherited{0};
  std::atomic<int> alarms{0};
  std::array<char, 2000> first{};
};

// What the locks guard is nothing, so there is nothing to repair.
template <typename AnyLock>
std::unique_lock<AnyLock> take(AnyLock& lock, Told& told) {
  try {
    lock.acquire();
  } catch (const OwnerDiedError&) {
    ++told.inherited;
    lock.recover();
  }
  return std::unique_lock(lock, std::adopt_lock);
}

// Long enough for waits to look around.
void linger(Dice& dice) {
  if (dice.one_in(6)) {
    tutti::sleep_for(std::chrono::milliseconds(dice.below(30)));
  } else {
    dice.dawdle();
  }
}

}  // namespace

class RingStress : public Stress {};

TEST_F(RingStress, NoFalseAlarmWhileProcessesAreKilled) {
  std::array<Lock, 3> locks;
  RLock last;
  const auto told = make_shared_with_children<Told>();
  const auto round = [&](threading::Lock& local, Dice& dice) {
    // Upwards, which closes no ring; and now and then downwards, with a deadline.
    const auto first = static_cast<std::size_t>(dice.below(2));
    const auto held = take(locks[first], *told);
    linger(dice);
    if (dice.one_in(3)) {
      try {
        if (locks[0].acquire(dice.timeout(std::chrono::milliseconds(40)))) locks[0].release();
      } catch (const OwnerDiedError&) {
        // For those to recover who need it.
      }
    }
    const auto next = take(locks[first + 1], *told);
    const std::scoped_lock inner(local);
    const auto outermost = take(last, *told);
    linger(dice);
    ++told->rounds;
  };
  const auto live = [&](Dice dice, Dice other_dice) {
    threading::Lock local;
    const auto rounds = [&](Dice& own) {
      try {
        for (;;) round(local, own);
      } catch (const DeadlockError& error) {
        const std::string text = error.what();
        if (told->alarms++ == 0) {
          std::snprintf(told->first.data(), told->first.size(), "%s", text.c_str());
        }
      }
    };
    Thread thread([&] { rounds(other_dice); });
    thread.start();
    rounds(dice);
    thread.join();
  };
  std::array<std::unique_ptr<Forked>, 4> children;
  const auto replace = [&](std::unique_ptr<Forked>& child) {
    if (child != nullptr) child->kill();
    child = std::make_unique<Forked>([&, one = dice(), other = dice()] { live(one, other); });
  };
  for (auto& child : children) replace(child);
  run([&](Dice& dice) {
    tutti::sleep_for(std::chrono::milliseconds(dice.below(60)));
    replace(children[static_cast<std::size_t>(dice.below(4))]);
  });
  EXPECT_EQ(told->alarms, 0) << told->first.data();
  EXPECT_GT(told->rounds, 0);
  EXPECT_GT(told->inherited, 0);
}

}  // namespace tests
