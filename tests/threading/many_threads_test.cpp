// Thousands of threads, at once and one after another.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

namespace threading = tutti::threading;
using threading::Thread;

// An ident is generation << 16 | slot.
std::uint64_t slot_of(std::uint64_t ident) {
  return ident & 0xffff;
}

TEST(ManyThreads, TwoThousandLiveAtOnce) {
  constexpr std::size_t count = 2000;
  threading::stack_size(128 * 1024);
  threading::Event go;
  threading::Semaphore arrived(0);
  threading::Lock lock;
  int counter = 0;
  std::vector<Thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      arrived.release();
      go.wait();
      const std::scoped_lock held(lock);
      ++counter;
    });
    threads.back().start();
  }
  for (std::size_t i = 0; i < count; ++i) arrived.acquire();
  EXPECT_EQ(threading::active_count(), count + 1);
  std::vector<std::uint64_t> idents;
  for (const Thread& thread : threading::enumerate()) idents.push_back(*thread.ident());
  std::sort(idents.begin(), idents.end());
  EXPECT_EQ(std::unique(idents.begin(), idents.end()), idents.end()) << "each has its own ident";
  go.set();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(counter, static_cast<int>(count));
  EXPECT_EQ(threading::active_count(), 1u);
  threading::stack_size(0);
}

TEST(ManyThreads, TwentyThousandOneAfterAnotherTakeTurnsInAFewSlots) {
  std::uint64_t highest = 0;
  std::atomic<std::uint64_t> inside{0};
  for (int i = 0; i < 20'000; ++i) {
    Thread thread([&] { inside = threading::get_ident(); });
    thread.start();
    thread.join();
    ASSERT_EQ(thread.ident(), inside);
    highest = std::max(highest, slot_of(inside));
  }
  EXPECT_LT(highest, 5000u) << "slots must not leak";
  const std::uint64_t first = slot_of(inside);
  for (int i = 0; i < 100; ++i) {
    Thread thread([&] { inside = threading::get_ident(); });
    thread.start();
    thread.join();
    EXPECT_EQ(slot_of(inside), first) << "the slot left last is taken first";
  }
}

TEST(ManyThreads, ForeignOnesLeaveTheirSlotsToo) {
  threading::Lock lock;
  std::uint64_t highest = 0;
  for (int i = 0; i < 3000; ++i) {
    std::thread([&] {
      const std::scoped_lock held(lock);
      highest = std::max(highest, slot_of(threading::get_ident()));
    }).join();
  }
  EXPECT_LT(highest, 5000u);
}

TEST(ManyThreads, NobodyJoinsThemAndTheyLeaveAllTheSame) {
  std::atomic<int> ran{0};
  for (int i = 0; i < 2000; ++i) {
    Thread([&] { ++ran; }).start();
    if (i % 50 == 0) until([] { return threading::active_count() < 100; });
  }
  until([&] { return threading::active_count() == 1 && ran == 2000; });
}

}  // namespace tests
