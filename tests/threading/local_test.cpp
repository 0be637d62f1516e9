// threading::Local<T> and threading::local.
#include "tutti/threading/local.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/errors.h"
#include "tutti/threading/event.h"
#include "tutti/threading/thread.h"

namespace tests {

using tutti::threading::Event;
using tutti::threading::Local;
using tutti::threading::local;
using tutti::threading::Thread;

void in_thread(std::function<void()> work) {
  Thread thread(std::move(work));
  thread.start();
  thread.join();
}

// Counts how many of it there are.
struct Counted {
  explicit Counted(std::atomic<int>& number) : alive(&number) { ++*alive; }
  ~Counted() { --*alive; }
  Counted(const Counted& other) : alive(other.alive) { ++*alive; }
  Counted& operator=(const Counted&) = delete;
  std::atomic<int>* alive;
};

TEST(Local, IsEachThreadsOwn) {
  Local<int> number;
  *number = 1;
  int seen = -1;
  in_thread([&] {
    seen = *number;
    *number = 2;
  });
  EXPECT_EQ(seen, 0) << "begins as int()";
  EXPECT_EQ(*number, 1);
}

TEST(Local, BeginsAsWhatTheFactoryReturnsInThatThread) {
  Local<std::uint64_t> ident([] { return tutti::threading::get_ident(); });
  EXPECT_EQ(*ident, tutti::threading::get_ident());
  in_thread([&] { EXPECT_EQ(*ident, tutti::threading::get_ident()); });
  std::thread([&] { EXPECT_EQ(*ident, tutti::threading::get_ident()); }).join();
}

TEST(Local, CallsTheFactoryOnceAThread) {
  std::atomic<int> calls{0};
  Local<int> number([&] { return ++calls; });
  EXPECT_EQ(calls, 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*number, 1);
  in_thread([&] {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(*number, 2);
  });
  EXPECT_EQ(calls, 2);
}

TEST(Local, GivesMembersByArrow) {
  struct Session {
    int requests = 0;
  };
  Local<Session> session;
  session->requests += 2;
  in_thread([&] { session->requests += 5; });
  EXPECT_EQ(session->requests, 2);
}

TEST(Local, AFactoryThatThrowsIsCalledAgain) {
  int calls = 0;
  Local<int> number([&] {
    if (++calls == 1) throw std::runtime_error("not yet");
    return 5;
  });
  EXPECT_THROW(*number, std::runtime_error);
  EXPECT_EQ(*number, 5);
}

TEST(Local, AFactoryMayUseOtherLocals) {
  Local<int> inner([] { return 4; });
  Local<int> outer([&] { return *inner + 1; });
  EXPECT_EQ(*outer, 5);
  in_thread([&] { EXPECT_EQ(*outer, 5); });
}

TEST(Local, DestroysAThreadsValueWhenTheThreadEnds) {
  std::atomic<int> alive{0};
  Local<Counted> value([&] { return Counted(alive); });
  int inside = 0;
  in_thread([&] {
    (void)*value;
    inside = alive;
  });
  EXPECT_EQ(inside, 1);
  EXPECT_EQ(alive, 0);
  (void)*value;
  EXPECT_EQ(alive, 1);
}

TEST(Local, DestroysAllValuesWhenItIsDestroyedItself) {
  std::atomic<int> alive{0};
  std::optional<Local<Counted>> value;
  value.emplace([&] { return Counted(alive); });
  std::atomic<int> using_it{0};
  Event go;
  std::vector<Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      (void)**value;
      ++using_it;
      go.wait();
    });
    threads.back().start();
  }
  until([&] { return using_it == 4; });
  EXPECT_EQ(alive, 4);
  value.reset();
  EXPECT_EQ(alive, 0);
  go.set();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(alive, 0);
}

TEST(Local, ANewOneAtTheSameAddressStartsAfresh) {
  std::optional<Local<int>> number;
  for (int i = 0; i < 1000; ++i) {
    number.emplace();
    EXPECT_EQ(**number, 0);
    **number = i + 1;
    number.reset();
  }
}

TEST(Local, ManyOfThemInManyThreadsNeverMix) {
  std::vector<std::unique_ptr<Local<int>>> numbers;
  for (int i = 0; i < 50; ++i) numbers.push_back(std::make_unique<Local<int>>());
  std::atomic<int> wrong{0};
  std::vector<Thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 50; ++i) {
          int& number = **numbers[static_cast<std::size_t>(i)];
          if (number != (round == 0 ? 0 : t * 1000 + i)) ++wrong;
          number = t * 1000 + i;
        }
      }
    });
    threads.back().start();
  }
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// A value whose destructor uses other locals, for the first time in its thread.
TEST(Local, AValuesDestructorMayUseOtherLocals) {
  std::vector<std::unique_ptr<Local<int>>> others;
  for (int i = 0; i < 200; ++i) others.push_back(std::make_unique<Local<int>>());
  std::atomic<int> sum{0};
  struct Farewell {
    std::vector<std::unique_ptr<Local<int>>>* others = nullptr;
    std::atomic<int>* sum = nullptr;
    ~Farewell() {
      if (others == nullptr) return;
      for (auto& other : *others) *sum += ++**other;
    }
  };
  std::vector<std::unique_ptr<Local<Farewell>>> farewells;
  for (int i = 0; i < 3; ++i) farewells.push_back(std::make_unique<Local<Farewell>>());
  in_thread([&] {
    for (auto& farewell : farewells) {
      (*farewell)->others = &others;
      (*farewell)->sum = &sum;
    }
  });
  EXPECT_GE(sum, 3 * 200);
}

// A thread_local object that is older than the thread's first Local is destroyed after it.
TEST(Local, AThreadLocalsDestructorMayUseIt) {
  Local<int> number([] { return 7; });
  std::atomic<int> seen{0};
  struct Late {
    Local<int>* number = nullptr;
    std::atomic<int>* seen = nullptr;
    ~Late() {
      if (number != nullptr) *seen = **number;
    }
  };
  in_thread([&] {
    static thread_local Late late;
    late.number = &number;
    late.seen = &seen;
    EXPECT_EQ(*number, 7);
  });
  EXPECT_EQ(seen, 7);
}

TEST(AttributesByName, AreEachThreadsOwn) {
  local mine;
  mine["tname"] = std::string("main");
  std::string inside;
  bool was_set = true;
  in_thread([&] {
    was_set = mine.has("tname");
    mine.set("tname", std::string("notmain"));
    inside = mine.get<std::string>("tname");
  });
  EXPECT_FALSE(was_set);
  EXPECT_EQ(inside, "notmain");
  EXPECT_EQ(mine.get<std::string>("tname"), "main");
}

TEST(AttributesByName, OnesNotSetAreErrorsThatNameThem) {
  local mine;
  EXPECT_FALSE(mine.has("colour"));
  EXPECT_TRUE(
      throws<tutti::AttributeError>([&] { mine.get<int>("colour"); }, {"colour", "MainThread"}));
  EXPECT_TRUE(
      throws<tutti::AttributeError>([&] { mine.erase("colour"); }, {"colour", "MainThread"}));
  (void)mine["colour"];
  EXPECT_FALSE(mine.has("colour")) << "made empty, not set";
  EXPECT_TRUE(throws<tutti::AttributeError>([&] { mine.get<int>("colour"); }, {"colour"}));
}

TEST(AttributesByName, OnesOfAnotherTypeAreErrorsThatNameBoth) {
  local mine;
  mine.set("size", 3);
  EXPECT_TRUE(throws<tutti::TypeError>([&] { mine.get<double>("size"); },
                                       {"size", "int", "double", "MainThread"}));
  EXPECT_EQ(mine.get<int>("size"), 3);
}

TEST(AttributesByName, CanBeChangedInPlaceReplacedAndErased) {
  local mine;
  mine.set("n", 1);
  mine.get<int>("n") += 4;
  EXPECT_EQ(mine.get<int>("n"), 5);
  mine["n"] = std::string("now a word");
  EXPECT_EQ(mine.get<std::string>("n"), "now a word");
  mine.erase("n");
  EXPECT_FALSE(mine.has("n"));
}

}  // namespace tests
