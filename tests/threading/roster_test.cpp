// Who is there: current_thread, main_thread, enumerate, and threads that tutti did not start.
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

namespace threading = tutti::threading;
using threading::Event;
using threading::Phase;
using threading::Thread;

bool is_listed(const Thread& thread) {
  const std::vector<Thread> all = threading::enumerate();
  return std::find(all.begin(), all.end(), thread) != all.end();
}

TEST(Roster, TheMainThreadIsTheOneThatMainRunsIn) {
  const Thread main = threading::main_thread();
  EXPECT_EQ(main.name(), "MainThread");
  EXPECT_EQ(main, threading::current_thread());
  EXPECT_EQ(main, threading::currentThread());
  EXPECT_EQ(main.ident(), threading::get_ident());
  EXPECT_TRUE(main.is_alive());
  EXPECT_FALSE(main.daemon());
}

TEST(Roster, AnotherThreadIsNotTheMainOneAndKnowsIt) {
  Journal<bool> answers;
  Thread thread([&] {
    answers.add(threading::current_thread() == threading::main_thread());
    answers.add(threading::current_thread() == thread);
    answers.add(threading::get_ident() == threading::main_thread().ident());
  });
  thread.start();
  thread.join();
  EXPECT_EQ(answers.entries(), (std::vector<bool>{false, true, false}));
}

TEST(Roster, TheMainThreadCannotBeStarted) {
  EXPECT_TRUE(
      throws<tutti::RuntimeError>([] { threading::main_thread().start(); }, {"MainThread"}));
}

TEST(Roster, ListsTheLivingInTheOrderOfTheirStart) {
  Event go;
  std::vector<Thread> threads(5);
  for (Thread& thread : threads) thread = Thread([&go] { go.wait(); });
  const std::vector<int> order{3, 0, 4, 1, 2};
  EXPECT_EQ(threading::active_count(), 1u);
  std::vector<Thread> expected{threading::main_thread()};
  for (const int i : order) {
    Thread& thread = threads[static_cast<std::size_t>(i)];
    EXPECT_FALSE(is_listed(thread));
    thread.start();
    expected.push_back(thread);
    EXPECT_TRUE(threading::enumerate() == expected);
    EXPECT_EQ(threading::active_count(), expected.size());
  }
  EXPECT_EQ(threading::activeCount(), 6u);
  go.set();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(threading::active_count(), 1u);
}

TEST(Roster, AJoinedThreadIsNeverListed) {
  for (int i = 0; i < 200; ++i) {
    Thread thread([] {});
    thread.start();
    thread.join();
    ASSERT_FALSE(is_listed(thread)) << "round " << i;
  }
}

TEST(Roster, ListsDaemonsToo) {
  Event go;
  Thread daemon({.target = [&go] { go.wait(); }, .daemon = true});
  daemon.start();
  EXPECT_TRUE(is_listed(daemon));
  go.set();
  daemon.join();
  EXPECT_FALSE(is_listed(daemon));
}

class ForeignThread : public testing::Test {
 protected:
  // What a foreign thread finds out about itself; it stays until the test lets it go.
  void visit() {
    self_ = threading::current_thread();
    arrived_.set();
    may_go_.wait();
  }

  void expect_it_is_listed_as_a_dummy() {
    arrived_.wait();
    EXPECT_EQ(self_.name().find("Dummy-"), 0u) << self_.name();
    EXPECT_TRUE(is_listed(self_));
    EXPECT_EQ(threading::active_count(), 2u);
    EXPECT_TRUE(self_.is_alive());
    EXPECT_TRUE(self_.ident().has_value());
    EXPECT_NE(self_.ident(), threading::get_ident());
    EXPECT_TRUE(self_.native_id().has_value());
    EXPECT_TRUE(throws<tutti::RuntimeError>([&] { self_.start(); }, {self_.name()}));
    until([&] { return self_.state() == Phase::blocked_in_wait_pool; });
  }

  void expect_it_is_gone() {
    EXPECT_FALSE(is_listed(self_));
    EXPECT_FALSE(self_.is_alive());
    EXPECT_EQ(self_.state(), Phase::dead);
    EXPECT_EQ(threading::active_count(), 1u);
  }

  Thread self_;
  Event arrived_;
  Event may_go_;
};

TEST_F(ForeignThread, OfStdIsListedAsADummyUntilItEnds) {
  std::thread foreign([this] { visit(); });
  expect_it_is_listed_as_a_dummy();
  may_go_.set();
  foreign.join();
  expect_it_is_gone();
}

TEST_F(ForeignThread, OfPthreadIsListedAsADummyUntilItEnds) {
  std::function<void()> visits = [this] { visit(); };
  const auto entry = [](void* function) -> void* {
    (*static_cast<std::function<void()>*>(function))();
    return nullptr;
  };
  pthread_t foreign;
  ASSERT_EQ(pthread_create(&foreign, nullptr, entry, &visits), 0);
  expect_it_is_listed_as_a_dummy();
  may_go_.set();
  pthread_join(foreign, nullptr);
  expect_it_is_gone();
}

TEST_F(ForeignThread, CanBeJoinedByOurThreads) {
  std::thread foreign([this] { visit(); });
  arrived_.wait();
  self_.join(0.001);
  EXPECT_TRUE(self_.is_alive());
  may_go_.set();
  self_.join();
  EXPECT_FALSE(self_.is_alive());
  foreign.join();
}

TEST(ForeignThreads, HaveDifferentNames) {
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    std::thread([&] { names.push_back(threading::current_thread().name()); }).join();
  }
  EXPECT_NE(names[0], names[1]);
  EXPECT_NE(names[1], names[2]);
}

TEST(ForeignThreads, MayStartOurs) {
  bool ran = false;
  std::thread([&] {
    Thread ours([&] { ran = true; });
    ours.start();
    ours.join();
  }).join();
  EXPECT_TRUE(ran);
}

TEST(ForeignThreads, LeaveNothingWhenTheyCameOnlyToTakeALock) {
  threading::Lock lock;
  for (int i = 0; i < 50; ++i) {
    std::thread([&] {
      lock.acquire();
      lock.release();
    }).join();
  }
  EXPECT_EQ(threading::active_count(), 1u);
}

// --- stack_size ----------------------------------------------------------------------------------

class StackSize : public testing::Test {
 protected:
  ~StackSize() override { threading::stack_size(0); }

  static std::size_t stack_of_a_new_thread() {
    std::size_t size = 0;
    Thread thread([&size] {
      pthread_attr_t attributes;
      pthread_getattr_np(pthread_self(), &attributes);
      pthread_attr_getstacksize(&attributes, &size);
      pthread_attr_destroy(&attributes);
    });
    thread.start();
    thread.join();
    return size;
  }
};

TEST_F(StackSize, IsWhatNewThreadsGet) {
  EXPECT_EQ(threading::stack_size(), 0u);
  EXPECT_EQ(threading::stack_size(1 << 20), 0u);
  EXPECT_EQ(threading::stack_size(), std::size_t{1} << 20);
  EXPECT_GE(stack_of_a_new_thread(), std::size_t{1} << 20);
  EXPECT_LT(stack_of_a_new_thread(), std::size_t{2} << 20);
  EXPECT_EQ(threading::stack_size(16 << 20), std::size_t{1} << 20);
  EXPECT_GE(stack_of_a_new_thread(), std::size_t{16} << 20);
}

TEST_F(StackSize, OfAFewKilobytesIsRefused) {
  threading::stack_size(1 << 20);
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4096}, std::size_t{32 * 1024 - 1}}) {
    EXPECT_TRUE(throws<tutti::ValueError>([&] { threading::stack_size(bytes); },
                                          {std::to_string(bytes), "MainThread"}));
  }
  EXPECT_EQ(threading::stack_size(), std::size_t{1} << 20);
}

TEST_F(StackSize, ThatNobodyHasMakesTheStartFailAndLeavesTheThreadStartable) {
  bool ran = false;
  Thread thread({.target = [&ran] { ran = true; }, .name = "giant"});
  threading::stack_size(std::size_t{1} << 50);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.start(); }, {"giant"}));
    EXPECT_FALSE(thread.is_alive());
    EXPECT_EQ(thread.ident(), std::nullopt);
    EXPECT_EQ(thread.state(), Phase::new_thread);
    EXPECT_EQ(threading::active_count(), 1u);
    EXPECT_TRUE(throws<tutti::RuntimeError>([&] { thread.join(); }, {"giant"}));
  }
  EXPECT_FALSE(ran);
  threading::stack_size(0);
  thread.start();
  thread.join();
  EXPECT_TRUE(ran);
}

}  // namespace tests
