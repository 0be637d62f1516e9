// The lock word in shared memory: exclusion among processes, and owners that are killed.
#include "multiprocessing/shared_lock_cell.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>

#include "support/forked.h"
#include "support/stepped.h"
#include "support/until.h"

namespace tests {

using tutti::multiprocessing::SharedLockCell;
using tutti::multiprocessing::Taken;

struct Guarded {
  SharedLockCell lock;
  std::uint64_t counter = 0;
  std::atomic<int> arrived{0};
};

TEST(SharedLockCell, ExcludesProcessesFromEachOther) {
  const auto shared = make_shared_with_children<Guarded>();
  constexpr std::uint64_t rounds = 50'000;
  std::array<std::optional<Forked>, 4> children;
  for (auto& child : children) {
    child.emplace([&] {
      ++shared->arrived;
      until([&] { return shared->arrived == 4; });
      for (std::uint64_t round = 0; round < rounds; ++round) {
        shared->lock.acquire();
        ++shared->counter;
        shared->lock.release();
      }
    });
  }
  for (auto& child : children) EXPECT_EQ(child->join(), 0);
  EXPECT_EQ(shared->counter, 4 * rounds);
  EXPECT_FALSE(shared->lock.is_locked());
}

TEST(SharedLockCell, IsInheritedFromAKilledOwner) {
  const auto shared = make_shared_with_children<Guarded>();
  Forked owner([&] {
    shared->lock.acquire();
    ++shared->arrived;
    pause();
  });
  until([&] { return shared->arrived == 1; });
  EXPECT_FALSE(shared->lock.try_acquire());
  EXPECT_EQ(shared->lock.acquire(0), Taken::timed_out);
  Forked waiter([&] {
    ++shared->arrived;
    if (shared->lock.acquire() == Taken::from_the_dead) ++shared->counter;
    shared->lock.release();
  });
  until([&] { return shared->arrived == 2; });
  owner.kill();
  EXPECT_EQ(waiter.join(), 0);
  EXPECT_EQ(shared->counter, 1u);
  EXPECT_EQ(shared->lock.acquire(), Taken::yes);
  EXPECT_TRUE(shared->lock.is_mine());
  EXPECT_TRUE(shared->lock.release());
}

TEST(SharedLockCell, APollInheritsToo) {
  const auto shared = make_shared_with_children<Guarded>();
  Forked owner([&] { shared->lock.acquire(); });
  EXPECT_EQ(owner.join(), 0);
  EXPECT_EQ(shared->lock.acquire(0), Taken::from_the_dead);
  EXPECT_TRUE(shared->lock.release());
}

TEST(SharedLockCell, GoesOnWhenWaitersAreKilled) {
  const auto shared = make_shared_with_children<Guarded>();
  shared->lock.acquire();
  std::array<std::optional<Forked>, 3> waiters;
  for (auto& waiter : waiters) {
    waiter.emplace([&] {
      ++shared->arrived;
      shared->lock.acquire();
      ++shared->counter;
      shared->lock.release();
    });
  }
  until([&] { return shared->arrived == 3; });
  waiters[0]->kill();
  shared->lock.release();
  EXPECT_EQ(waiters[1]->join(), 0);
  EXPECT_EQ(waiters[2]->join(), 0);
  EXPECT_EQ(shared->lock.acquire(), Taken::yes);
  EXPECT_EQ(shared->counter, 2u);
  shared->lock.release();
}

// However far a process gets, another one has the lock next, and the counter is what the lock was
// released for.
TEST(SharedLockCell, SurvivesAUserKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  const std::size_t cuts = for_each_cut(1, [](std::size_t steps) {
    const auto shared = make_shared_with_children<Guarded>();
    const Cut cut = cut_short([] {},
                              [&] {
                                shared->lock.acquire();
                                shared->lock.release();
                              },
                              steps);
    const Taken taken = shared->lock.acquire();
    EXPECT_TRUE(taken == Taken::yes || !cut.has_finished);
    EXPECT_TRUE(shared->lock.is_mine());
    EXPECT_TRUE(shared->lock.release());
    return cut;
  });
  EXPECT_GT(cuts, 10u);
  printf("%zu cuts\n", cuts);
}

TEST(SharedLockCell, SurvivesAWaiterKilledAtAnyInstruction) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(7, [](std::size_t steps) {
    const auto shared = make_shared_with_children<Guarded>();
    shared->lock.acquire();
    const Cut cut =
        cut_short([] {}, [&] { shared->lock.acquire(tutti::platform::now() + 300'000); }, steps);
    EXPECT_TRUE(shared->lock.release());
    EXPECT_EQ(shared->lock.acquire(), Taken::yes);
    EXPECT_TRUE(shared->lock.release());
    return cut;
  });
}

TEST(SharedLockCell, ReleasedByAnotherProcessItIsASignal) {
  const auto shared = make_shared_with_children<Guarded>();
  shared->lock.acquire();
  Forked other([&] { shared->lock.release(); });
  EXPECT_EQ(shared->lock.acquire(), Taken::yes);
  EXPECT_EQ(other.join(), 0);
  EXPECT_TRUE(shared->lock.is_locked());
  EXPECT_EQ(shared->lock.owner(), 0u);
  EXPECT_TRUE(shared->lock.release());
  EXPECT_FALSE(shared->lock.release());
}

TEST(SharedLockCell, HeldByTheForkingThreadItIsNotTheChilds) {
  const auto shared = make_shared_with_children<Guarded>();
  shared->lock.acquire();
  Forked child([&] {
    if (!shared->lock.is_mine() && !shared->lock.try_acquire()) ++shared->counter;
  });
  EXPECT_EQ(child.join(), 0);
  EXPECT_EQ(shared->counter, 1u);
  EXPECT_TRUE(shared->lock.is_mine());
  shared->lock.release();
}

}  // namespace tests
