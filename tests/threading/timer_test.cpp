// threading::Timer.
#include "tutti/threading/timer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/errors.h"

namespace tests {

using namespace std::chrono_literals;
using tutti::threading::Phase;
using tutti::threading::Timer;

TEST(Timer, CallsItsFunctionNotBeforeTheIntervalIsOver) {
  Journal<SteadyClock::time_point> calls;
  Timer timer(20ms, [&] { calls.add(SteadyClock::now()); });
  const auto begin = SteadyClock::now();
  timer.start();
  timer.join();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_GE(calls.entries()[0] - begin, 20ms);
}

TEST(Timer, PassesArgumentsOn) {
  std::string said;
  Timer timer(
      0.001, [&said](const std::string& word, int n) { said = word + std::to_string(n); }, "hello",
      2);
  timer.start();
  timer.join();
  EXPECT_EQ(said, "hello2");
}

TEST(Timer, CancelledWhileItWaitsNeverCalls) {
  Journal<int> calls;
  Timer timer(1e6, [&] { calls.add(1); });
  timer.start();
  until([&] { return timer.state() == Phase::blocked_in_wait_pool; });
  timer.cancel();
  timer.join();
  EXPECT_EQ(calls.size(), 0u);
}

TEST(Timer, CancelledBeforeItsStartNeverCalls) {
  Journal<int> calls;
  Timer timer(0.0, [&] { calls.add(1); });
  timer.cancel();
  timer.start();
  timer.join();
  EXPECT_EQ(calls.size(), 0u);
}

TEST(Timer, CancelAfterTheCallChangesNothing) {
  Journal<int> calls;
  Timer timer(0.001, [&] { calls.add(1); });
  timer.start();
  timer.join();
  timer.cancel();
  timer.cancel();
  EXPECT_EQ(calls.size(), 1u);
}

TEST(Timer, MayBeCancelledByACopy) {
  Journal<int> calls;
  Timer timer(tutti::forever, [&] { calls.add(1); });
  Timer copy = timer;
  EXPECT_EQ(copy, timer);
  timer.start();
  copy.cancel();
  copy.join();
  EXPECT_EQ(calls.size(), 0u);
}

TEST(Timer, IntervalsThatAreOverCallAtOnce) {
  for (const double seconds : {0.0, -1.0, 1e-12, -std::numeric_limits<double>::infinity()}) {
    Journal<int> calls;
    Timer timer(seconds, [&] { calls.add(1); });
    timer.start();
    timer.join();
    EXPECT_EQ(calls.size(), 1u) << seconds;
  }
}

TEST(Timer, NaNIsRefused) {
  EXPECT_TRUE(throws<tutti::ValueError>(
      [] { Timer timer(std::numeric_limits<double>::quiet_NaN(), [] {}); }));
}

TEST(Timer, IsAThreadWithAllAThreadHas) {
  Timer timer(0.0, [] {});
  EXPECT_EQ(timer.state(), Phase::new_thread);
  EXPECT_FALSE(timer.daemon());
  timer.set_name("egg");
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { timer.join(); }, {"egg"}));
  timer.start();
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { timer.start(); }, {"egg"}));
  timer.join();
  EXPECT_EQ(timer.state(), Phase::dead);
}

TEST(Timer, ThatIsNeverStartedNeverCalls) {
  Journal<int> calls;
  {
    Timer timer(0.0, [&] { calls.add(1); });
  }
  EXPECT_EQ(calls.size(), 0u);
}

}  // namespace tests
