// Timeout and sleep.
#include "tutti/time.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <type_traits>

#include "support/throws.h"
#include "support/until.h"
#include "tutti/errors.h"
#include "tutti/threading/thread.h"

namespace tests {

using namespace std::chrono_literals;
using tutti::Timeout;

constexpr auto longest = std::numeric_limits<std::int64_t>::max();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Timeout, ReadsNumbersAsSeconds) {
  EXPECT_EQ(Timeout(2).nanoseconds(), 2'000'000'000);
  EXPECT_EQ(Timeout(0.5).nanoseconds(), 500'000'000);
  EXPECT_EQ(Timeout(0.25f).nanoseconds(), 250'000'000);
  EXPECT_EQ(Timeout(0.125L).nanoseconds(), 125'000'000);
  EXPECT_EQ(Timeout(3u).nanoseconds(), 3'000'000'000);
  EXPECT_EQ(Timeout(-1).nanoseconds(), -1'000'000'000);
  EXPECT_EQ(Timeout(0).nanoseconds(), 0);
}

// 0.29 as a double is a little less, and as nanoseconds all the same what was written.
TEST(Timeout, RoundsToTheNearestNanosecond) {
  EXPECT_EQ(Timeout(0.29).nanoseconds(), 290'000'000);
  EXPECT_EQ(Timeout(0.57).nanoseconds(), 570'000'000);
  EXPECT_EQ(Timeout(1.1).nanoseconds(), 1'100'000'000);
  EXPECT_EQ(Timeout(-0.29).nanoseconds(), -290'000'000);
}

TEST(Timeout, ReadsAnyDuration) {
  EXPECT_EQ(Timeout(1ns).nanoseconds(), 1);
  EXPECT_EQ(Timeout(1us).nanoseconds(), 1'000);
  EXPECT_EQ(Timeout(3ms).nanoseconds(), 3'000'000);
  EXPECT_EQ(Timeout(2h).nanoseconds(), 7'200'000'000'000);
  EXPECT_EQ(Timeout(std::chrono::duration<double, std::milli>(0.5)).nanoseconds(), 500'000);
  EXPECT_EQ(Timeout(std::chrono::duration<float>(0.5f)).nanoseconds(), 500'000'000);
  EXPECT_EQ(Timeout(-1ms).nanoseconds(), -1'000'000);
}

TEST(Timeout, IsExactForDurationsInNanoseconds) {
  for (const std::int64_t n : {longest - 1, longest / 2 + 1, -(longest - 1)}) {
    EXPECT_EQ(Timeout(std::chrono::nanoseconds(n)).nanoseconds(), n);
  }
}

TEST(Timeout, HasSeveralNamesForNoLimit) {
  EXPECT_TRUE(Timeout().is_forever());
  EXPECT_TRUE(tutti::forever.is_forever());
  EXPECT_TRUE(Timeout(std::nullopt).is_forever());
  EXPECT_TRUE(Timeout(infinity).is_forever());
  EXPECT_TRUE(Timeout(std::chrono::duration<double>(infinity)).is_forever());
  EXPECT_FALSE(Timeout(0).is_forever());
  EXPECT_FALSE(tutti::forever.is_negative());
}

TEST(Timeout, SaturatesInsteadOfOverflowing) {
  using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
  EXPECT_TRUE(Timeout(Days(1'000'000)).is_forever());
  EXPECT_FALSE(Timeout(Days(100'000)).is_forever());
  EXPECT_TRUE(Timeout(1e300).is_forever());
  EXPECT_TRUE(Timeout(std::numeric_limits<std::int64_t>::max()).is_forever());
  EXPECT_TRUE(Timeout(std::chrono::hours::max()).is_forever());
  EXPECT_TRUE(Timeout(-1e300).is_negative());
  EXPECT_TRUE(Timeout(-infinity).is_negative());
  EXPECT_TRUE(Timeout(std::chrono::hours::min()).is_negative());
}

TEST(Timeout, NeverRoundsAWaitToAPollNorTheOtherWayRound) {
  EXPECT_EQ(Timeout(1e-12).nanoseconds(), 1);
  EXPECT_EQ(Timeout(std::chrono::duration<double, std::nano>(0.5)).nanoseconds(), 1);
  EXPECT_EQ(Timeout(-1e-12).nanoseconds(), -1);
  EXPECT_EQ(Timeout(-0.0).nanoseconds(), 0);
  EXPECT_EQ(Timeout(std::numeric_limits<double>::denorm_min()).nanoseconds(), 1);
}

TEST(Timeout, RefusesNaN) {
  EXPECT_TRUE(throws<tutti::ValueError>([] { Timeout bad(nan); }, {"NaN", "MainThread"}));
  EXPECT_TRUE(throws<tutti::ValueError>([] { Timeout bad{std::chrono::duration<double>(nan)}; }));
  EXPECT_TRUE(
      throws<tutti::ValueError>([] { Timeout bad(std::numeric_limits<float>::quiet_NaN()); }));
}

TEST(Timeout, IsAConstantExpressionAndNoBool) {
  static_assert(Timeout(1.5).nanoseconds() == 1'500'000'000);
  static_assert(Timeout(20ms).nanoseconds() == 20'000'000);
  static_assert(!std::is_convertible_v<bool, Timeout>);
  static_assert(std::is_convertible_v<int, Timeout>);
  static_assert(std::is_trivially_copyable_v<Timeout>);
}

TEST(Timeout, ItsDeadlineLiesAsFarAheadAsItSays) {
  const std::int64_t poll = Timeout(0).deadline();
  const std::int64_t before = Timeout(1).deadline();
  const std::int64_t after = Timeout(2).deadline();
  EXPECT_LT(poll, before);
  EXPECT_GE(after - before, 1'000'000'000);
  EXPECT_LE(Timeout(-5).deadline(), before);
  EXPECT_EQ(tutti::forever.deadline(), longest);
  EXPECT_EQ(Timeout(std::chrono::nanoseconds(longest - 1)).deadline(), longest)
      << "the sum of now and the longest time-out must not overflow";
}

TEST(Sleep, LastsAtLeastAsLongAsItSays) {
  EXPECT_GE(time_of([] { tutti::sleep(20ms); }), 20ms);
  EXPECT_GE(time_of([] { tutti::sleep(0.005); }), 5ms);
  for (int i = 0; i < 20; ++i) EXPECT_GE(time_of([] { tutti::sleep(1ms); }), 1ms);
}

TEST(Sleep, OfNothingReturns) {
  tutti::sleep(0);
  tutti::sleep(1ns);
  tutti::sleep(1e-12);
}

TEST(Sleep, OfLessThanNothingIsRefused) {
  for (const double seconds : {-1.0, -1e-12, -infinity}) {
    EXPECT_TRUE(throws<tutti::ValueError>([&] { tutti::sleep(seconds); }, {"MainThread"}));
  }
  EXPECT_TRUE(throws<tutti::ValueError>([] { tutti::sleep(-1ns); }));
  EXPECT_TRUE(throws<tutti::ValueError>([] { tutti::sleep(nan); }));
}

TEST(Sleep, HoldsUpNobodyElse) {
  std::vector<tutti::threading::Thread> sleepers;
  std::atomic<int> early{0};
  for (int i = 0; i < 20; ++i) {
    sleepers.emplace_back([&early] {
      if (time_of([] { tutti::sleep(30ms); }) < 30ms) ++early;
    });
    sleepers.back().start();
  }
  for (auto& sleeper : sleepers) sleeper.join();
  EXPECT_EQ(early, 0);
}

}  // namespace tests
