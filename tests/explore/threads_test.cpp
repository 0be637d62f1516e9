// The threads of an explored program: their stacks, their thread_local variables, their exceptions.
#include <memory>
#include <optional>
#include <string>

#include <tutti/explore/gtest.h>
#include <tutti/tutti.h>

namespace tests {

namespace {

using namespace tutti;
using explore::Options;
using explore::Result;

int destroyed = 0;

struct Counted {
  int value = 7;
  ~Counted() { ++destroyed; }
};

thread_local int plain = 3;
thread_local int zero;
thread_local Counted counted;
thread_local std::string text = "fresh";

TEST(ExploredThreads, HaveTheirOwnThreadLocals) {
  plain = 100;
  const Result result = explore::check([] {
    EXPECT_EQ(plain, 3);
    EXPECT_EQ(zero, 0);
    tutti::atomic<int> word = 0;
    const auto work = [&word](int mine) {
      EXPECT_EQ(plain, 3);
      EXPECT_EQ(text, "fresh");
      plain = mine;
      zero = mine;
      text = "of thread " + std::to_string(mine);
      word = mine;
      EXPECT_EQ(plain, mine);
      EXPECT_EQ(zero, mine);
      EXPECT_EQ(text, "of thread " + std::to_string(mine));
    };
    threading::Thread a(work, 1);
    threading::Thread b(work, 2);
    a.start();
    b.start();
    a.join();
    b.join();
    EXPECT_EQ(plain, 3);
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(plain, 100);
}

TEST(ExploredThreads, DestroyTheirThreadLocalsAtTheirEnd) {
  destroyed = 0;
  EXPECT_TRUE(explore::check([] {
    const int before = destroyed;
    threading::Thread thread([] { EXPECT_EQ(counted.value, 7); });
    thread.start();
    thread.join();
    EXPECT_EQ(destroyed, before + 1);
  }));
}

int depth_of(int levels) {
  volatile char room[1024] = {};
  room[0] = static_cast<char>(levels);
  return levels == 0 ? 0 : 1 + depth_of(levels - 1) + room[1];
}

TEST(ExploredThreads, HaveDeepStacks) {
  EXPECT_TRUE(explore::check([] {
    EXPECT_EQ(depth_of(2'000), 2'000);
    threading::Thread thread([] { EXPECT_EQ(depth_of(2'000), 2'000); });
    thread.start();
    thread.join();
  }));
}

TEST(ExploredThreads, KeepExceptionsInFlightApart) {
  const Result result = explore::check([] {
    tutti::atomic<int> word = 0;
    const auto work = [&word](int mine) {
      try {
        throw mine;
      } catch (int caught) {
        // Another thread may throw and catch while this handler is open.
        word = mine;
        word = mine;
        EXPECT_EQ(caught, mine);
        try {
          throw;
        } catch (int again) {
          EXPECT_EQ(again, mine);
        }
      }
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    };
    threading::Thread a(work, 1);
    threading::Thread b(work, 2);
    a.start();
    b.start();
    a.join();
    b.join();
  });
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(ExploredThreads, EndBySystemExit) {
  EXPECT_TRUE(explore::check([] {
    bool went_on = false;
    threading::Thread thread([&] {
      tutti::thread::exit();
      went_on = true;
    });
    thread.start();
    thread.join();
    EXPECT_FALSE(went_on);
  }));
}

TEST(ExploredThreads, AreNumberedTheSameInEachSchedule) {
  EXPECT_TRUE(explore::check([] {
    tutti::atomic<int> word = 0;
    threading::Thread a([&] { word = 1; });
    threading::Thread b([&] { word = 2; });
    EXPECT_EQ(a.name(), "Thread-1");
    EXPECT_EQ(b.name(), "Thread-2");
    a.start();
    b.start();
    a.join();
    b.join();
    EXPECT_EQ(threading::current_thread().name(), "MainThread");
    EXPECT_EQ(threading::active_count(), 1u);
  }));
}

TEST(ExploredThreads, AreAtMostSixtyFour) {
  const Result result = explore::check(
      [] {
        std::vector<threading::Thread> threads;
        threading::Event go;
        for (int i = 0; i < 64; ++i) threads.emplace_back([&] { go.wait(); });
        for (auto& thread : threads) thread.start();
      },
      {.schedules = 1, .print = false});
  ASSERT_FALSE(result);
  EXPECT_NE(result.failure->message.find("64 threads in one schedule"), std::string::npos)
      << result.failure->message;
}

TEST(ExploredThreads, ReuseTheirStacks) {
  // More schedules than there is address space for stacks, were they not reused.
  const Result result = explore::check(
      [] {
        tutti::atomic<int> word = 0;
        threading::Thread a([&] { word = 1; });
        threading::Thread b([&] { word = 2; });
        a.start();
        b.start();
        a.join();
        b.join();
      },
      {.strategy = explore::Strategy::random, .schedules = 50'000});
  EXPECT_TRUE(result);
  EXPECT_EQ(result.schedules, 50'000u);
}

TEST(ExploredThreads, HaveLocalsOfTheirOwn) {
  EXPECT_TRUE(explore::check([] {
    threading::Local<int> mine;
    threading::Thread thread([&] {
      EXPECT_EQ(*mine, 0);
      *mine = 5;
    });
    *mine = 1;
    thread.start();
    thread.join();
    EXPECT_EQ(*mine, 1);
  }));
}

}  // namespace

}  // namespace tests
