// The demo's crew: threads that do one job together, and end together when one of them fails.
#include "demo/forms/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "support/throws.h"
#include "tutti/queue.h"
#include "tutti/threading.h"

namespace tests {

namespace {

using namespace tutti;

TEST(Crew, CallsThenOnceAllThreadsOfAStageHaveEnded) {
  std::atomic<int> ended = 0;
  std::atomic<int> ended_before_then = 0;
  std::atomic<int> calls = 0;
  demo::Crew crew([] {});
  crew.start({.name = "worker",
              .threads = 4,
              .work = [&] { ++ended; },
              .then =
                  [&] {
                    ++calls;
                    ended_before_then = ended.load();
                  }});
  crew.join();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(ended_before_then, 4);
}

TEST(Crew, NamesItsThreads) {
  queue::Queue<std::string> names;
  const auto tell = [&] { names.put(threading::current_thread().name()); };
  demo::Crew crew([] {});
  crew.start({.name = "alone", .work = tell});
  crew.join();
  crew.start({.name = "one", .threads = 2, .work = tell});
  crew.join();
  EXPECT_EQ(names.get(), "alone");
  const std::string one = names.get();
  const std::string other = names.get();
  EXPECT_EQ(std::min(one, other), "one-1");
  EXPECT_EQ(std::max(one, other), "one-2");
}

TEST(Crew, ThrowsTheErrorOfTheThreadThatFailedNotWhatFollowsFromIt) {
  queue::Queue<int> never_filled;
  threading::Barrier never_full(3);
  bool then = false;
  demo::Crew crew([&] {
    never_filled.shutdown();
    never_full.abort();
  });
  crew.start({.name = "getter", .work = [&] { never_filled.get(); }});
  crew.start({.name = "waiter", .work = [&] { never_full.wait(); }});
  crew.start({.name = "failing",
              .work = [] { throw std::invalid_argument("the cause"); },
              .then = [&] { then = true; }});
  EXPECT_TRUE(throws<std::invalid_argument>([&] { crew.join(); }, {"the cause"}));
  EXPECT_FALSE(then);
}

TEST(Crew, FailsWhenTheEndOfAStageDoes) {
  demo::Crew crew([] {});
  crew.start({.name = "worker", .work = [] {}, .then = [] { throw std::out_of_range("end"); }});
  EXPECT_TRUE(throws<std::out_of_range>([&] { crew.join(); }, {"end"}));
}

TEST(Crew, CallsTheJobOffWhenNobodyJoins) {
  queue::Queue<int> never_filled;
  bool ended = false;
  {
    demo::Crew crew([&] { never_filled.shutdown(); });
    crew.start({.name = "getter", .work = [&] {
                  for ([[maybe_unused]] const int item : never_filled.items()) ADD_FAILURE();
                  ended = true;
                }});
  }
  EXPECT_TRUE(ended);
}

}  // namespace

}  // namespace tests
