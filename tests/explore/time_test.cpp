// Virtual time: sleeps cost nothing, and time-outs come in the order of their deadlines.
#include <chrono>
#include <string>
#include <vector>

#include <tutti/explore/gtest.h>
#include <tutti/tutti.h>

namespace tests {

namespace {

using namespace tutti;
using namespace std::chrono_literals;
using explore::Result;

TEST(VirtualTime, AnHoursBackOffTakesNoTime) {
  const auto begin = std::chrono::steady_clock::now();
  const Result result = explore::check([] {
    threading::Event answered;
    threading::Thread server([&] {
      sleep(1h);
      answered.set();
    });
    server.start();
    int tries = 0;
    for (auto pause = 1s; !answered.wait(pause); pause *= 2) ++tries;
    EXPECT_EQ(tries, 11);
    server.join();
  });
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.exhausted);
  // Not a measurement: were time real, it would be hours.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30min);
}

TEST(VirtualTime, TimersRingInOrder) {
  const Result result = explore::check([] {
    threading::Lock lock;
    std::vector<int> order;
    const auto ring = [&](int which) {
      std::scoped_lock held(lock);
      order.push_back(which);
    };
    threading::Timer third(3s, ring, 3);
    threading::Timer first(1s, ring, 1);
    threading::Timer second(2s, ring, 2);
    third.start();
    first.start();
    second.start();
    third.join();
    first.join();
    second.join();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
  });
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.exhausted);
}

// A program that takes "slept long enough" for "the other is done".
void hopes_for_the_best() {
  tutti::atomic<bool> done = false;
  threading::Thread worker([&] {
    sleep(1s);
    done = true;
  });
  worker.start();
  sleep(5s);
  explore::require(done, "the worker was slower than that");
  worker.join();
}

TEST(VirtualTime, IsInOrderUnlessAskedOtherwise) {
  EXPECT_TRUE(explore::check(hopes_for_the_best));
  const Result result =
      explore::check(hopes_for_the_best, {.timeouts = explore::Timeouts::any_time, .print = false});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, explore::FailureKind::assertion);
}

TEST(VirtualTime, StandsStillWhileThreadsRun) {
  EXPECT_TRUE(explore::check([] {
    threading::Lock lock;
    lock.acquire();
    threading::Thread other([&] { lock.release(); });
    other.start();
    EXPECT_TRUE(lock.acquire(0.001));
    other.join();
  }));
}

}  // namespace

}  // namespace tests
