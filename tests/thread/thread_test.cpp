// Python 2's thread module.
#include "tutti/thread.h"

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

namespace thread = tutti::thread;
namespace threading = tutti::threading;

class StartNewThread : public testing::Test {
 protected:
  void TearDown() override {
    until([] { return thread::_count() == 0 && threading::active_count() == 1; });
  }
  threading::Event done_;
};

TEST_F(StartNewThread, RunsAFunctionWithCopiesOfItsArguments) {
  std::string word = "before";
  std::string seen;
  threading::Event go;
  thread::start_new_thread(
      [&](std::string copy, int n) {
        go.wait();
        seen = copy + std::to_string(n);
        done_.set();
      },
      word, 3);
  word = "after";
  go.set();
  done_.wait();
  EXPECT_EQ(seen, "before3");
}

TEST_F(StartNewThread, ReturnsTheIdentThatTheThreadHas) {
  std::uint64_t inside = 0;
  const std::uint64_t ident = thread::start_new([&] {
    inside = thread::get_ident();
    done_.set();
  });
  done_.wait();
  EXPECT_NE(ident, 0u);
  EXPECT_NE(ident, thread::get_ident());
  EXPECT_EQ(inside, ident);
}

TEST_F(StartNewThread, MakesAThreadThatEndsWithMain) {
  bool is_daemon = false;
  bool is_listed = false;
  thread::start_new_thread([&] {
    is_daemon = threading::current_thread().daemon();
    for (const threading::Thread& living : threading::enumerate()) {
      if (living == threading::current_thread()) is_listed = true;
    }
    done_.set();
  });
  done_.wait();
  EXPECT_TRUE(is_daemon);
  EXPECT_TRUE(is_listed);
}

TEST_F(StartNewThread, IsCountedUntilItEnds) {
  EXPECT_EQ(thread::_count(), 0u);
  threading::Event go;
  for (std::size_t n = 1; n <= 3; ++n) {
    thread::start_new_thread([&] { go.wait(); });
    EXPECT_EQ(thread::_count(), n);
  }
  go.set();
  until([] { return thread::_count() == 0; });
}

TEST_F(StartNewThread, ThatTheSystemHasNoRoomForIsAnError) {
  threading::stack_size(std::size_t{1} << 50);
  EXPECT_TRUE(throws<thread::error>([] { thread::start_new_thread([] {}); }));
  threading::stack_size(0);
  EXPECT_EQ(thread::_count(), 0u);
}

TEST_F(StartNewThread, IsEndedByExitThroughItsDestructors) {
  Journal<int> steps;
  for (auto* const exit : {&thread::exit, &thread::exit_thread}) {
    thread::start_new_thread([&steps, exit] {
      const std::shared_ptr<void> outer(nullptr, [&](void*) { steps.add(2); });
      try {
        const std::shared_ptr<void> inner(nullptr, [&](void*) { steps.add(1); });
        exit();
        steps.add(-1);
      } catch (const std::exception&) {
        steps.add(-2);
      }
      steps.add(-3);
    });
  }
  until([] { return thread::_count() == 0; });
  EXPECT_EQ(steps.sorted(), (std::vector<int>{1, 1, 2, 2}));
}

TEST(ThreadModule, ExitInTheMainThreadIsAnExceptionLikeAnyOther) {
  EXPECT_THROW(thread::exit(), thread::SystemExit);
  EXPECT_FALSE((std::is_base_of_v<std::exception, thread::SystemExit>));
}

TEST(ThreadModule, AllocatesLocks) {
  thread::LockType lock = thread::allocate_lock();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(true));
  EXPECT_TRUE(lock.locked());
  lock.release();
  thread::LockType other = thread::allocate();
  EXPECT_TRUE(other.acquire(false));
  EXPECT_TRUE(throws<thread::error>([&] { lock.release(); }, {address_of(&lock)}));
  EXPECT_TRUE((std::is_same_v<thread::error, tutti::RuntimeError>));
}

TEST(ThreadModule, HasItsOtherNames) {
  EXPECT_EQ(thread::get_ident(), threading::get_ident());
  EXPECT_EQ(thread::get_native_id(), threading::get_native_id());
  EXPECT_EQ(thread::stack_size(), 0u);
  EXPECT_GT(thread::TIMEOUT_MAX, 1e9);
  thread::_local mine;
  mine.set("x", 1);
  EXPECT_EQ(mine.get<int>("x"), 1);
}

}  // namespace tests
