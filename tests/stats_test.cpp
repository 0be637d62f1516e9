// Which locks and queues threads have waited for.
#include "tutti/inspect/stats.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "support/throws.h"
#include "support/until.h"
#include "tutti/queue.h"
#include "tutti/threading.h"

namespace tests {

namespace inspect = tutti::inspect;
namespace queue = tutti::queue;
namespace threading = tutti::threading;
using threading::Phase;
using threading::Thread;

std::optional<inspect::LockStats> lock_stats_of(const void* lock) {
  for (const auto& stats : inspect::lock_stats()) {
    if (stats.address == lock) return stats;
  }
  return std::nullopt;
}

std::optional<inspect::QueueStats> queue_stats_of(const queue::QueueBase& q) {
  for (const auto& stats : inspect::queue_stats()) {
    if (stats.address == &q) return stats;
  }
  return std::nullopt;
}

/// A thread that blocks in `work`, and has done so on return.
Thread start_into(Phase phase, const char* name, std::function<void()> work) {
  Thread thread({.target = std::move(work), .name = name});
  thread.start();
  until([&] { return thread.state().phase == phase; });
  return thread;
}

Thread start_into_lock(auto& lock, const char* name) {
  return start_into(Phase::blocked_in_lock_pool, name,
                    [&lock] { const std::scoped_lock held(lock); });
}

TEST(LockStats, TellWhoHasWaitedForALockAndHowLong) {
  threading::Lock lock{"accounts"};
  EXPECT_FALSE(lock_stats_of(&lock)) << "nobody has waited";
  lock.acquire();
  Thread waiting = start_into_lock(lock, "patient");
  const auto during = lock_stats_of(&lock);
  ASSERT_TRUE(during);
  EXPECT_EQ(during->lock, "Lock 'accounts'");
  EXPECT_EQ(during->waits.count, 0u);
  EXPECT_EQ(during->waits.now, 1u);
  EXPECT_EQ(during->waits.longest_by, "patient");
  lock.release();
  waiting.join();
  const auto after = lock_stats_of(&lock);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->waits.count, 1u);
  EXPECT_EQ(after->waits.now, 0u);
  EXPECT_GE(after->waits.longest, during->waits.longest);
  EXPECT_EQ(after->waits.longest_by, "patient");
  EXPECT_EQ(after->owner, "");
  lock.acquire();
  EXPECT_EQ(lock_stats_of(&lock)->owner, "MainThread");
  lock.release();
}

TEST(LockStats, CountWaitsInVainAndHandOvers) {
  threading::RLock lock;
  lock.acquire();
  Thread impatient({.target = [&] { EXPECT_FALSE(lock.acquire(0.02)); }, .name = "impatient"});
  impatient.start();
  impatient.join();
  auto stats = lock_stats_of(&lock);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->lock, "RLock at " + address_of(&lock));
  EXPECT_EQ(stats->waits.count, 1u);
  EXPECT_GT(stats->waits.longest, 0.01);
  EXPECT_EQ(stats->hand_offs, 0u);
  Thread waiting = start_into_lock(lock, "starved");
  be_busy_for(std::chrono::milliseconds(1));  // More than it takes to starve.
  lock.release();
  waiting.join();
  stats = lock_stats_of(&lock);
  EXPECT_EQ(stats->waits.count, 2u);
  EXPECT_EQ(stats->hand_offs, 1u);
}

TEST(LockStats, GoWithTheLock) {
  alignas(threading::Lock) std::byte place[sizeof(threading::Lock)];
  auto* const lock = std::construct_at(reinterpret_cast<threading::Lock*>(place));
  lock->acquire();
  Thread waiting = start_into_lock(*lock, "patient");
  lock->release();
  waiting.join();
  EXPECT_TRUE(lock_stats_of(lock));
  std::destroy_at(lock);
  EXPECT_FALSE(lock_stats_of(lock));
}

TEST(LockStats, MayBeginAnew) {
  threading::Lock lock;
  lock.acquire();
  Thread waiting = start_into_lock(lock, "patient");
  lock.release();
  waiting.join();
  EXPECT_TRUE(lock_stats_of(&lock));
  inspect::reset_stats();
  EXPECT_FALSE(lock_stats_of(&lock));
}

TEST(LockStats, OfManyLocksKeepThoseOfTheLongestWaits) {
  constexpr std::size_t count = 3000;
  threading::Lock longest;
  const std::unique_ptr<threading::Lock[]> others(new threading::Lock[count]);
  longest.acquire();
  for (std::size_t i = 0; i < count; ++i) others[i].acquire();
  Thread waiting([&] {
    EXPECT_FALSE(longest.acquire(1.0));
    for (std::size_t i = 0; i < count; ++i) EXPECT_FALSE(others[i].acquire(0.0001));
  });
  waiting.start();
  waiting.join();
  EXPECT_TRUE(lock_stats_of(&longest));
  const std::size_t known = inspect::lock_stats().size();
  EXPECT_GT(known, 100u);
  EXPECT_LE(known, 1024u);
}

TEST(QueueStats, TellOfBothSides) {
  queue::Queue<int> jobs(1, "jobs");
  EXPECT_FALSE(queue_stats_of(jobs));
  Thread getter = start_into(Phase::blocked_in_wait_pool, "getter", [&] { jobs.get(); });
  auto stats = queue_stats_of(jobs);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->queue, "Queue 'jobs'");
  EXPECT_EQ(stats->gets.now, 1u);
  EXPECT_EQ(stats->gets.longest_by, "getter");
  jobs.put(1);
  getter.join();
  jobs.put(2);
  Thread putter = start_into(Phase::blocked_in_wait_pool, "putter", [&] { jobs.put(3); });
  stats = queue_stats_of(jobs);
  EXPECT_EQ(stats->gets.count, 1u);
  EXPECT_EQ(stats->gets.now, 0u);
  EXPECT_EQ(stats->puts.now, 1u);
  EXPECT_EQ(stats->puts.longest_by, "putter");
  EXPECT_EQ(stats->size, 1u);
  jobs.get();
  putter.join();
  EXPECT_EQ(queue_stats_of(jobs)->puts.count, 1u);
  jobs.get();
  EXPECT_THROW(jobs.get(true, 0.001), queue::Empty);
  EXPECT_EQ(queue_stats_of(jobs)->gets.count, 2u) << "a wait in vain counts";
}

TEST(Stats, ArePrintedAsTables) {
  threading::Lock lock{"accounts"};
  queue::Queue<int> jobs(1, "jobs");
  lock.acquire();
  Thread patient = start_into_lock(lock, "patient");
  lock.release();
  patient.join();
  lock.acquire();
  Thread getter = start_into(Phase::blocked_in_wait_pool, "getter", [&] { jobs.get(); });
  std::ostringstream text;
  inspect::print_stats(text);
  for (const char* part : {"lock ", "hand-offs", "owner\n", "Lock 'accounts'", "patient",
                           "MainThread\n", "queue ", "get from Queue 'jobs'", "getter"}) {
    EXPECT_NE(text.str().find(part), std::string::npos) << part << "\n" << text.str();
  }
  EXPECT_EQ(text.str().find("put to"), std::string::npos) << "nobody has waited there";
  lock.release();
  jobs.put(1);
  getter.join();
}

}  // namespace tests
