// Classic bugs of programs that use locks, conditions, events and semaphores.
#include <algorithm>
#include <array>
#include <utility>

#include "explore/classics.h"

namespace tests::classics {
namespace {

// --- check, then act -----------------------------------------------------------------------------

void withdraw_after_a_look() {
  threading::Lock account;
  tutti::Shared<int> balance = 100;
  const auto withdraw = [&] {
    bool has_enough = false;
    {
      std::scoped_lock held(account);
      has_enough = balance >= 100;
    }
    if (!has_enough) return;
    std::scoped_lock held(account);
    balance -= 100;
  };
  together(withdraw, withdraw);
  explore::require(balance >= 0, "overdrawn");
}

void withdraw_in_one_go() {
  threading::Lock account;
  tutti::Shared<int> balance = 100;
  const auto withdraw = [&] {
    std::scoped_lock held(account);
    if (balance >= 100) balance -= 100;
  };
  together(withdraw, withdraw);
  explore::require(balance == 0);
}

TEST(ClassicLocks, AWithdrawalAfterALookOverdraws) {
  expect_found(withdraw_after_a_look, FailureKind::assertion);
}
TEST(ClassicLocks, AWithdrawalInOneGoDoesNot) {
  expect_passes(withdraw_in_one_go);
}

struct Bank {
  std::array<threading::Lock, 2> locks;
  std::array<tutti::Shared<int>, 2> balances{100, 100};

  void transfer_by_order_of_call(std::size_t from, std::size_t to) {
    std::scoped_lock first(locks[from]);
    std::scoped_lock second(locks[to]);
    move(from, to);
  }
  void transfer_by_number(std::size_t from, std::size_t to) {
    std::scoped_lock first(locks[std::min(from, to)]);
    std::scoped_lock second(locks[std::max(from, to)]);
    move(from, to);
  }
  void transfer_by_backing_off(std::size_t from, std::size_t to) {
    std::scoped_lock both(locks[from], locks[to]);
    move(from, to);
  }
  void move(std::size_t from, std::size_t to) {
    balances[from] -= 10;
    balances[to] += 10;
  }
};

void transfer(void (Bank::*transfer)(std::size_t, std::size_t)) {
  Bank bank;
  together([&] { (bank.*transfer)(0, 1); }, [&] { (bank.*transfer)(1, 0); });
  explore::require(bank.balances[0] == 100 && bank.balances[1] == 100);
}

TEST(ClassicLocks, TransfersInOppositeDirectionsDeadlock) {
  expect_found([] { transfer(&Bank::transfer_by_order_of_call); }, FailureKind::deadlock);
}
TEST(ClassicLocks, TransfersThatLockByNumberDoNot) {
  expect_passes([] { transfer(&Bank::transfer_by_number); });
}
// Both may back off again and again, each time because of the other: without a bound, that is a
// schedule without an end.
TEST(ClassicLocks, TransfersThatBackOffDoNot) {
  expect_passes([] { transfer(&Bank::transfer_by_backing_off); }, {.preemptions = 3});
}

void make_twice() {
  threading::Lock lock;
  tutti::Shared<bool> is_made = false;
  tutti::atomic<int> made = 0;
  const auto use = [&] {
    std::unique_lock held(lock);
    if (is_made) return;
    held.unlock();
    ++made;
    held.lock();
    is_made = true;
  };
  together(use, use);
  explore::require(made == 1, "made twice");
}

void make_once() {
  threading::Lock lock;
  tutti::Shared<bool> is_made = false;
  tutti::atomic<int> made = 0;
  const auto use = [&] {
    std::scoped_lock held(lock);
    if (is_made) return;
    ++made;
    is_made = true;
  };
  together(use, use, use);
  explore::require(made == 1, "made twice");
}

TEST(ClassicLocks, LazyInitialisationThatLetsGoOfItsLockHappensTwice) {
  expect_found(make_twice, FailureKind::assertion);
}
TEST(ClassicLocks, LazyInitialisationUnderALockHappensOnce) {
  expect_passes(make_once);
}

// --- philosophers --------------------------------------------------------------------------------

template <typename Order>
void dine(Order order) {
  constexpr int count = 3;
  std::array<threading::Lock, count> forks;
  together_each(count, [&](int i) {
    const auto [first, second] = order(i, (i + 1) % count);
    std::scoped_lock one(forks[static_cast<std::size_t>(first)]);
    std::scoped_lock other(forks[static_cast<std::size_t>(second)]);
  });
}

void dine_left_first() {
  dine([](int left, int right) { return std::pair(left, right); });
}
void dine_lower_first() {
  dine([](int left, int right) { return std::minmax({left, right}); });
}

TEST(ClassicLocks, PhilosophersWhoAllTakeTheLeftForkFirstStarve) {
  expect_found(dine_left_first, FailureKind::deadlock);
}
TEST(ClassicLocks, PhilosophersWhoTakeTheLowerForkFirstEat) {
  expect_passes(dine_lower_first);
}

// --- races ---------------------------------------------------------------------------------------

void read_without_the_lock() {
  threading::Lock lock;
  tutti::Shared<int> hits = 0;
  together(
      [&] {
        std::scoped_lock held(lock);
        ++hits;
      },
      [&] { explore::require(hits >= 0); });
}

void read_with_the_lock() {
  threading::Lock lock;
  tutti::Shared<int> hits = 0;
  const auto read = [&] {
    std::scoped_lock held(lock);
    explore::require(hits >= 0);
  };
  together(
      [&] {
        std::scoped_lock held(lock);
        ++hits;
      },
      read, read);
}

template <int permits>
void count_under_a_semaphore() {
  threading::Semaphore lock(permits);
  tutti::Shared<int> counter = 0;
  const auto increment = [&] {
    std::scoped_lock held(lock);
    ++counter;
  };
  together(increment, increment, increment);
  explore::require(counter == 3);
}

TEST(ClassicLocks, AReaderWithoutTheLockRacesWithTheWriter) {
  expect_found(read_without_the_lock, FailureKind::race);
}
TEST(ClassicLocks, ReadersWithTheLockDoNot) {
  expect_passes(read_with_the_lock);
}
TEST(ClassicLocks, ASemaphoreOfTwoIsNoLock) {
  expect_found(count_under_a_semaphore<2>, FailureKind::race);
}
TEST(ClassicLocks, ASemaphoreOfOneIs) {
  expect_passes(count_under_a_semaphore<1>);
}

TEST(ClassicLocks, EachBugIsFoundByChanceToo) {
  expect_found_by_chance(
      {
          {"withdrawal", withdraw_after_a_look, FailureKind::assertion},
          {"transfer", [] { transfer(&Bank::transfer_by_order_of_call); }, FailureKind::deadlock},
          {"initialisation", make_twice, FailureKind::assertion},
          {"philosophers", dine_left_first, FailureKind::deadlock},
          {"reader", read_without_the_lock, FailureKind::race},
          {"semaphore", count_under_a_semaphore<2>, FailureKind::race},
      },
      200);
}

}  // namespace
}  // namespace tests::classics
