// What the tests of the classics share: running threads, and what is expected of a program.
//
// The classics are the small programs by which checkers of concurrent programs are usually judged.
// Each comes as a pair: one with the bug, and a twin without it whose every schedule passes.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <tutti/explore/gtest.h>
#include <tutti/tutti.h>

#include "explore/support.h"

namespace tests::classics {

using namespace tutti;
using explore::FailureKind;
using explore::Options;
using explore::Result;
using explore::Strategy;

inline const Options relaxed_memory = {.memory = explore::MemoryModel::relaxed};

inline Options with_strategy(Strategy strategy, std::uint64_t schedules, Options options) {
  options.strategy = strategy;
  options.preemptions.reset();
  options.schedules = schedules;
  options.seed = 1;
  return options;
}

// Runs `mine` in the calling thread and each of `others` in one of its own, and joins them.
template <typename Body, typename... Bodies>
void together(Body mine, Bodies... others) {
  std::vector<threading::Thread> threads;
  (threads.emplace_back(others), ...);
  for (threading::Thread& thread : threads) thread.start();
  mine();
  for (threading::Thread& thread : threads) thread.join();
}

// Runs `body` in `count` threads, each of which is told its number.
template <typename Body>
void together_each(int count, Body body) {
  std::vector<threading::Thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (threading::Thread& thread : threads) thread.start();
  for (threading::Thread& thread : threads) thread.join();
}

// A program with a bug, and how it shows.
struct Bug {
  std::string name;
  std::function<void()> body;
  FailureKind kind;
  Options options = {};
};

inline void expect_failed(const Result& result, FailureKind kind) {
  ASSERT_FALSE(result) << result;
  EXPECT_EQ(result.failure->kind, kind) << result;
}

// Depth-first search comes upon the bug.
inline void expect_found(const std::function<void()>& body, FailureKind kind,
                         const Options& options = {}) {
  expect_failed(explore::check(body, quietly(options)), kind);
}

// So does each of the strategies that draw.
inline void expect_found_by_chance(const std::vector<Bug>& bugs, std::uint64_t schedules) {
  for (const Bug& bug : bugs) {
    for (const Strategy strategy : {Strategy::random, Strategy::pct, Strategy::pos}) {
      SCOPED_TRACE(bug.name + " by strategy " + std::to_string(static_cast<int>(strategy)));
      expect_failed(
          explore::check(bug.body, quietly(with_strategy(strategy, schedules, bug.options))),
          bug.kind);
    }
  }
}

// No schedule fails: depth-first search gets to its end, and chance finds nothing that it missed.
inline void expect_passes(const std::function<void()>& body, const Options& options = {}) {
  const Result result = explore::check(body, options);
  EXPECT_TRUE(result);
  EXPECT_TRUE(result.exhausted) << result;
  testing::Test::RecordProperty("schedules", std::to_string(result.schedules));
  for (const Strategy strategy : {Strategy::random, Strategy::pct, Strategy::pos}) {
    EXPECT_TRUE(explore::check(body, with_strategy(strategy, 200, options)));
  }
}

// What a program without failures may show in the end.
using Outcomes = std::set<std::string>;

inline Outcomes outcomes_of(const std::function<std::string()>& body, const Options& options) {
  Outcomes outcomes;
  const Result result = explore::check([&] { outcomes.insert(body()); }, options);
  EXPECT_TRUE(result);
  if (options.strategy == Strategy::depth_first) {
    EXPECT_TRUE(result.exhausted) << result;
    testing::Test::RecordProperty("schedules", std::to_string(result.schedules));
  }
  return outcomes;
}

}  // namespace tests::classics
