// inspect::threads, dump and Blocking.
#include "tutti/inspect.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

namespace inspect = tutti::inspect;
namespace threading = tutti::threading;
using threading::Phase;
using threading::Thread;

std::optional<inspect::ThreadInfo> info_of(std::uint64_t ident) {
  for (inspect::ThreadInfo& info : inspect::threads()) {
    if (info.ident == ident) return std::move(info);
  }
  return std::nullopt;
}

// A thread that waits for an event.
class Waiting {
 public:
  explicit Waiting(std::string name, bool daemon = false, tutti::Timeout timeout = tutti::forever)
      : thread({.target = [this, timeout] { event.wait(timeout); },
                .name = std::move(name),
                .daemon = daemon}) {
    thread.start();
    until([this] { return thread.state() == Phase::blocked_in_wait_pool; });
  }
  ~Waiting() {
    event.set();
    thread.join();
  }
  inspect::ThreadInfo info() const { return info_of(*thread.ident()).value(); }

  threading::Event event;
  Thread thread;
};

TEST(Inspect, ShowsTheMainThread) {
  const auto all = inspect::threads();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, "MainThread");
  EXPECT_TRUE(all[0].main);
  EXPECT_FALSE(all[0].daemon);
  EXPECT_FALSE(all[0].foreign);
  EXPECT_EQ(all[0].ident, threading::get_ident());
  EXPECT_EQ(all[0].native_id, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(all[0].state, Phase::running);
  EXPECT_EQ(all[0].blocked_for, 0);
  EXPECT_TRUE(std::isinf(all[0].time_left));
}

TEST(Inspect, ShowsWhatAWaitingThreadWaitsForAndSinceWhen) {
  const Waiting waiting("reader");
  const inspect::ThreadInfo first = waiting.info();
  EXPECT_EQ(first.name, "reader");
  EXPECT_FALSE(first.main);
  EXPECT_EQ(first.native_id, waiting.thread.native_id());
  EXPECT_EQ(first.state.blocked_on.object, &waiting.event);
  EXPECT_EQ(first.state, waiting.thread.state());
  EXPECT_GT(first.blocked_for, 0);
  EXPECT_TRUE(std::isinf(first.time_left));
  tutti::sleep(0.005);
  EXPECT_GE(waiting.info().blocked_for, first.blocked_for + 0.005);
}

TEST(Inspect, ShowsHowMuchOfATimeoutIsLeft) {
  const Waiting waiting("patient", false, 1000);
  const double first = waiting.info().time_left;
  EXPECT_LT(first, 1000);
  EXPECT_GT(first, 0);
  tutti::sleep(0.005);
  EXPECT_LE(waiting.info().time_left, first - 0.005);
}

TEST(Inspect, TellsDaemonsAndForeignThreads) {
  const Waiting daemon("d", true);
  EXPECT_TRUE(daemon.info().daemon);
  EXPECT_FALSE(daemon.info().foreign);

  threading::Event go;
  std::atomic<std::uint64_t> ident{0};
  std::thread foreign([&] {
    ident = threading::get_ident();
    go.wait();
  });
  until([&] { return ident != 0; });
  EXPECT_TRUE(info_of(ident)->foreign);
  EXPECT_EQ(info_of(ident)->name.find("Dummy-"), 0u);
  go.set();
  foreign.join();
  EXPECT_FALSE(info_of(ident).has_value());
}

TEST(Inspect, CutsLongNamesAt31Bytes) {
  const Waiting waiting(std::string(100, 'n'));
  EXPECT_EQ(waiting.info().name, std::string(31, 'n'));
}

TEST(Inspect, FollowsARename) {
  Waiting waiting("old");
  waiting.thread.set_name("new name");
  EXPECT_EQ(waiting.info().name, "new name");
}

TEST(Inspect, ShowsOnlyThreadsThatLive) {
  Thread unborn([] {});
  EXPECT_EQ(inspect::threads().size(), 1u);
  unborn.start();
  unborn.join();
  EXPECT_EQ(inspect::threads().size(), 1u);
}

TEST(Inspect, DumpsATableWithALineForEachThread) {
  const Waiting waiting("writer", true);
  std::ostringstream stream;
  inspect::dump(stream);
  const std::string text = stream.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  for (const char* part : {"MainThread", "running", "writer", "daemon", "wait pool", "Event at"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  }
  testing::internal::CaptureStderr();
  inspect::dump();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("writer"), std::string::npos);
}

TEST(Inspect, BlockingMarksTheCallerForItsScope) {
  const std::uint64_t me = threading::get_ident();
  {
    const inspect::Blocking in_a_foreign_library;
    EXPECT_EQ(info_of(me)->state, Phase::blocked_otherwise);
    EXPECT_EQ(info_of(me)->state.blocked_on.kind, threading::WaitKind::io);
  }
  EXPECT_EQ(info_of(me)->state, Phase::running);
}

TEST(Inspect, BlockingIsSeenAfterAnEarlierWaitToo) {
  const std::uint64_t me = threading::get_ident();
  threading::Event event;
  Thread waker([&] {
    until([] { return threading::main_thread().state() == Phase::blocked_in_wait_pool; });
    event.set();
  });
  waker.start();
  event.wait();
  {
    const inspect::Blocking in_a_foreign_library;
    EXPECT_EQ(info_of(me)->state, Phase::blocked_otherwise);
  }
  EXPECT_EQ(info_of(me)->state, Phase::running);
  waker.join();
}

TEST(Inspect, BlockingEndsWithAnException) {
  const std::uint64_t me = threading::get_ident();
  try {
    const inspect::Blocking in_a_foreign_library;
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(info_of(me)->state, Phase::running);
}

TEST(Inspect, BlockingOutlastsLocksTakenInside) {
  const std::uint64_t me = threading::get_ident();
  const inspect::Blocking in_a_foreign_library;
  threading::Event event;
  event.wait(0.005);
  EXPECT_EQ(info_of(me)->state, Phase::blocked_otherwise) << "after a wait inside of it";
}

TEST(Inspect, MayBeAskedWhileThreadsComeAndGo) {
  std::atomic<bool> enough{false};
  std::vector<Thread> makers;
  for (int i = 0; i < 2; ++i) {
    makers.emplace_back([&enough] {
      while (!enough) {
        Thread thread([] { tutti::sleep(1e-6); });
        thread.start();
        thread.join();
      }
    });
    makers.back().start();
  }
  for (int i = 0; i < 300; ++i) {
    const auto all = inspect::threads();
    EXPECT_GE(all.size(), 3u);
    EXPECT_LE(all.size(), 5u);
    for (const Thread& thread : threading::enumerate()) (void)thread.state();
  }
  enough = true;
  for (Thread& maker : makers) maker.join();
}

}  // namespace tests
