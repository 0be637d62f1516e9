// A failure: shrunk, told, and run again.
#include <cstdlib>
#include <string>

#include <tutti/explore/gtest.h>
#include <tutti/tutti.h>
#include <nlohmann/json.hpp>

namespace tests {

namespace {

using namespace tutti;
using explore::FailureKind;
using explore::Options;
using explore::Result;
using explore::Strategy;

tutti::Shared<int> total = 0;

// Needs a switch in the middle of one of five increments to fail.
void loses_an_update() {
  total = 0;
  const auto add = [] {
    for (int i = 0; i < 5; ++i) ++total;
  };
  threading::Thread a(add);
  threading::Thread b(add);
  a.start();
  b.start();
  a.join();
  b.join();
  explore::require(total == 10, "the total is wrong");
}

Options quietly(Options options) {
  options.print = false;
  options.races = false;
  return options;
}

class Replay : public testing::Test {
 protected:
  ~Replay() override { unsetenv("TUTTI_REPLAY"); }
  static void ask_for(const std::string& replay) { setenv("TUTTI_REPLAY", replay.c_str(), 1); }
};

TEST_F(Replay, RunsTheFailingScheduleAndNoOther) {
  const Result first = explore::check(loses_an_update, quietly({.name = "update"}));
  ASSERT_FALSE(first);
  ask_for(first.failure->replay);
  const Result again = explore::check(loses_an_update, quietly({.name = "update"}));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.schedules, 1u);
  EXPECT_EQ(again.failure->message, first.failure->message);
  EXPECT_EQ(again.failure->story.size(), first.failure->story.size());
}

TEST_F(Replay, IsForTheCheckOfThatNameOnly) {
  ask_for("another@0:1");
  EXPECT_GT(explore::check([] {
              tutti::atomic<int> word = 0;
              threading::Thread other([&] { word = 1; });
              other.start();
              word = 2;
              other.join();
            }).schedules,
            1u);
}

TEST_F(Replay, RefusesWhatItCantRead) {
  for (const char* text :
       {"nonsense", "name@0", "name@0:0", "name@0:1/x", "name@99:1", "name@0x1"}) {
    ask_for(text);
    EXPECT_THROW((void)explore::check([] {}, {.name = "name"}), ValueError) << text;
  }
}

TEST(Shrinking, LeavesTheFewestSwitches) {
  for (const Strategy strategy : {Strategy::random, Strategy::pct, Strategy::pos}) {
    const Result result = explore::check(loses_an_update, quietly({.strategy = strategy}));
    ASSERT_FALSE(result);
    // To and fro between the two, once to each from main, and back to it after each.
    EXPECT_LE(result.failure->switches, 4u) << result;
    EXPECT_LE(result.failure->switches, result.failure->switches_found);
  }
}

TEST(Shrinking, CanBeLeftOut) {
  const Result result =
      explore::check(loses_an_update, quietly({.strategy = Strategy::random, .shrink = false}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->switches, result.failure->switches_found);
}

TEST(Report, TellsObjectsValuesAndLines) {
  const Result result = explore::check(loses_an_update, quietly({.name = "update"}));
  ASSERT_FALSE(result);
  const std::string text = result.to_string();
  for (const char* part : {"update: ", "assertion: the total is wrong", "MainThread", "Thread-1",
                           "Thread-2", "start Thread-1", "read total → 0", "write total ← 1",
                           "replay_test.cpp:", "TUTTI_REPLAY='update@"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Report, IsValidJson) {
  const Result result = explore::check(loses_an_update, quietly({.name = "a \"name\"\n"}));
  ASSERT_FALSE(result);
  const auto json = nlohmann::json::parse(result.to_json());
  EXPECT_EQ(json["name"], "a \"name\"\n");
  EXPECT_EQ(json["exhausted"], false);
  EXPECT_EQ(json["failure"]["kind"], "assertion");
  EXPECT_EQ(json["failure"]["threads"].size(), 3u);
  EXPECT_EQ(json["failure"]["story"].size(), result.failure->story.size());
  const auto passed = nlohmann::json::parse(explore::check([] {}).to_json());
  EXPECT_TRUE(passed["failure"].is_null());
}

TEST(Report, ShowsTheLoopOfALivelock) {
  const Result result = explore::check(
      [] {
        tutti::atomic<int> turn = 1;
        threading::Thread thread([&] {
          while (turn != 2) sleep(1);
        });
        thread.start();
        thread.join();
      },
      {.steps = 2'000, .print = false});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.failure->kind, FailureKind::livelock);
  EXPECT_NE(result.to_string().find("these repeat:"), std::string::npos) << result;
}

// --- strategies ----------------------------------------------------------------------------------

TEST(Strategies, FindTheSameBug) {
  for (const Strategy strategy :
       {Strategy::depth_first, Strategy::random, Strategy::pct, Strategy::pos}) {
    const Result result =
        explore::check(loses_an_update, quietly({.strategy = strategy, .schedules = 10'000}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.failure->kind, FailureKind::assertion);
  }
}

TEST(Strategies, DoTheSameFromTheSameSeed) {
  for (const Strategy strategy : {Strategy::random, Strategy::pct, Strategy::pos}) {
    const auto run = [&](std::uint64_t seed) {
      return explore::check(loses_an_update, quietly({.strategy = strategy, .seed = seed}));
    };
    EXPECT_EQ(run(7).failure->replay, run(7).failure->replay);
    EXPECT_EQ(run(7).schedules, run(7).schedules);
  }
}

TEST(Strategies, CountDifferentSchedules) {
  const auto body = [] {
    tutti::atomic<int> word = 0;
    threading::Thread other([&] { word = 1; });
    other.start();
    word = 2;
    other.join();
  };
  const Result result = explore::check(body, {.strategy = Strategy::random, .schedules = 1'000});
  EXPECT_EQ(result.schedules, 1'000u);
  EXPECT_GE(result.distinct, 2u);
  EXPECT_LT(result.distinct, 20u);
  EXPECT_FALSE(result.exhausted);
}

TEST(Strategies, KeepToABoundOfPreemptions) {
  const auto count = [](unsigned preemptions) {
    const Result result =
        explore::check(loses_an_update, quietly({.preemptions = preemptions, .shrink = false}));
    return result.failure.has_value();
  };
  EXPECT_FALSE(count(0));
  EXPECT_TRUE(count(1));
}

}  // namespace

}  // namespace tests
