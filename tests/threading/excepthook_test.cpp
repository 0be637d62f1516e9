// Exceptions that leave a thread's target.
#include "tutti/threading/excepthook.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "support/journal.h"
#include "support/until.h"
#include "tutti/errors.h"
#include "tutti/thread.h"
#include "tutti/threading/event.h"
#include "tutti/threading/lock.h"

namespace failing {
struct Overheated : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct NoException {};
}  // namespace failing

namespace tests {

namespace threading = tutti::threading;
using threading::ExceptHookArgs;
using threading::Thread;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ExceptHook : public testing::Test {
 protected:
  ~ExceptHook() override { threading::set_excepthook({}); }

  /// Runs a thread that ends by this exception; returns what it wrote to stderr.
  static std::string stderr_of(std::function<void()> target) {
    Thread thread({.target = std::move(target), .name = "boiler"});
    testing::internal::CaptureStderr();
    thread.start();
    thread.join();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(ExceptHook, ByDefaultPrintsThreadTypeAndWhat) {
  const std::string text = stderr_of([] { throw failing::Overheated("120 degrees"); });
  EXPECT_TRUE(contains(text, "boiler")) << text;
  EXPECT_TRUE(contains(text, "failing::Overheated")) << text;
  EXPECT_TRUE(contains(text, "120 degrees")) << text;
}

TEST_F(ExceptHook, ByDefaultPrintsWhatIsNoStdException) {
  const std::string number = stderr_of([] { throw 42; });
  EXPECT_TRUE(contains(number, "boiler") && contains(number, "int")) << number;
  const std::string other = stderr_of([] { throw failing::NoException(); });
  EXPECT_TRUE(contains(other, "failing::NoException")) << other;
}

TEST_F(ExceptHook, ReadsTheLibrarysOwnErrorsByTheirNames) {
  const std::string text = stderr_of([] {
    threading::Lock lock;
    lock.release();
  });
  EXPECT_TRUE(contains(text, "RuntimeError")) << text;
  EXPECT_TRUE(contains(text, "boiler")) << text;
}

TEST_F(ExceptHook, TheProgramAndTheThreadsHandleGoOn) {
  Thread thread([] { throw std::runtime_error("once"); });
  testing::internal::CaptureStderr();
  thread.start();
  thread.join();
  testing::internal::GetCapturedStderr();
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(threading::active_count(), 1u);
}

TEST_F(ExceptHook, IsCalledInTheFailingThreadWithAllItsFacts) {
  std::optional<ExceptHookArgs> seen;
  std::uint64_t called_in = 0;
  bool was_alive = false;
  threading::set_excepthook([&](const ExceptHookArgs& args) {
    seen = args;
    called_in = threading::get_ident();
    was_alive = args.thread->is_alive();
  });
  Thread thread([] { throw failing::Overheated("hot"); });
  testing::internal::CaptureStderr();
  thread.start();
  thread.join();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->exc_type, "failing::Overheated");
  EXPECT_EQ(seen->what(), "hot");
  EXPECT_TRUE(seen->thread == thread);
  EXPECT_EQ(called_in, thread.ident());
  EXPECT_TRUE(was_alive);
  EXPECT_THROW(std::rethrow_exception(seen->exc_value), failing::Overheated);
}

TEST_F(ExceptHook, WhatOfNoStdExceptionIsEmpty) {
  Journal<bool> empty;
  threading::set_excepthook([&](const ExceptHookArgs& args) { empty.add(args.what().empty()); });
  stderr_of([] { throw 1; });
  EXPECT_EQ(empty.entries(), std::vector<bool>{true});
  EXPECT_EQ(ExceptHookArgs().what(), "");
}

TEST_F(ExceptHook, SeesExceptionsOfRunAndOfStartNewThread) {
  Journal<int> calls;
  threading::Event called;
  threading::set_excepthook([&](const ExceptHookArgs&) {
    calls.add(1);
    called.set();
  });
  class Failing : public Thread {
   public:
    ~Failing() override { join(); }
    void run() override { throw std::logic_error("run"); }
  };
  {
    Failing thread;
    thread.start();
  }
  called.wait();
  called.clear();
  tutti::thread::start_new_thread([] { throw std::logic_error("start_new_thread"); });
  called.wait();
  EXPECT_EQ(calls.size(), 2u);
  until([] { return threading::active_count() == 1; });
}

TEST_F(ExceptHook, NeverSeesSystemExit) {
  Journal<int> calls;
  threading::set_excepthook([&](const ExceptHookArgs&) { calls.add(1); });
  EXPECT_EQ(stderr_of([] { tutti::thread::exit(); }), "");
  EXPECT_EQ(calls.size(), 0u);
}

TEST_F(ExceptHook, ThatThrowsIsReported) {
  threading::set_excepthook(
      [](const ExceptHookArgs&) { throw std::logic_error("the hook's own failure"); });
  const std::string text = stderr_of([] { throw failing::Overheated("first failure"); });
  EXPECT_TRUE(contains(text, "excepthook")) << text;
  EXPECT_TRUE(contains(text, "the hook's own failure")) << text;
  EXPECT_TRUE(contains(text, "first failure")) << text;
  threading::set_excepthook([](const ExceptHookArgs&) { throw 5; });
  EXPECT_TRUE(contains(stderr_of([] { throw failing::Overheated("again"); }), "again"));
}

TEST_F(ExceptHook, SettingOneReturnsTheOneBefore) {
  int first = 0;
  int second = 0;
  EXPECT_FALSE(threading::set_excepthook([&](const ExceptHookArgs&) { ++first; }));
  auto before = threading::set_excepthook([&](const ExceptHookArgs&) { ++second; });
  ASSERT_TRUE(before);
  before({});
  threading::excepthook({});
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
}

TEST_F(ExceptHook, AnEmptyOneIsTheDefault) {
  threading::set_excepthook([](const ExceptHookArgs&) {});
  EXPECT_EQ(stderr_of([] { throw failing::Overheated("unseen"); }), "");
  EXPECT_TRUE(threading::set_excepthook({}));
  EXPECT_TRUE(contains(stderr_of([] { throw failing::Overheated("seen"); }), "seen"));
}

TEST_F(ExceptHook, TheDefaultMayBeCalledByHandAndWithoutAThread) {
  ExceptHookArgs args;
  try {
    throw failing::Overheated("by hand");
  } catch (...) {
    args = {"failing::Overheated", std::current_exception(), std::nullopt};
  }
  testing::internal::CaptureStderr();
  threading::default_excepthook(args);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(contains(text, "by hand")) << text;
}

}  // namespace tests
