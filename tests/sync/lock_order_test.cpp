// Deadlocks that could happen: found by the order in which locks are taken. Run as programs of
// their own (tests/programs/program_lock_order.cpp), for it is asked for by the environment.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "support/run_program.h"

namespace tests {

Ended order_case(const std::string& name, const std::vector<std::string>& more = {}) {
  std::vector<std::string> variables{"TUTTI_LOCK_ORDER=1", "TUTTI_STACKS=0"};
  variables.insert(variables.begin(), more.begin(), more.end());
  return run_program(PROGRAM_LOCK_ORDER, {name}, variables);
}

testing::AssertionResult is_silent(const Ended& ended) {
  return ended_with(ended, 0, "");
}

/// One report on stderr, and the program goes on to its end.
testing::AssertionResult reports_once(const Ended& ended) {
  const std::string begin = "tutti: possible deadlock: ";
  const bool is_there = ended.err.starts_with(begin);
  const bool is_once = is_there && ended.err.find(begin, 1) == std::string::npos;
  return (ended.code == 0 && is_once ? testing::AssertionSuccess() : testing::AssertionFailure())
         << "code " << ended.code << "\n"
         << ended.out << ended.err;
}

TEST(LockOrder, TwoLocksTakenBothWaysAreReportedWithBothPlaces) {
  const Ended ended = order_case("two_locks");
  EXPECT_EQ(ended.code, 0) << ended.out;
  const std::string place = "program_lock_order\\.cpp:[0-9]+";
  EXPECT_TRUE(std::regex_match(
      ended.err,
      std::regex("tutti: possible deadlock: 2 locks are not always taken in the same order\n"
                 "  thread 'Save' takes Lock 'current' at " +
                 place +
                 "\n"
                 "    while it holds Lock 'savings', taken at " +
                 place +
                 "\n"
                 "  thread 'Pay' takes Lock 'savings' at " +
                 place +
                 "\n"
                 "    while it holds Lock 'current', taken at " +
                 place + "\n")))
      << ended.err;
}

TEST(LockOrder, WithStacksTheReportHasThem) {
  const Ended ended = order_case("two_locks", {"TUTTI_STACKS=1"});
  EXPECT_TRUE(reports_once(ended));
  EXPECT_NE(ended.err.find("\n      takes it in\n        "), std::string::npos) << ended.err;
}

TEST(LockOrder, TheSamePlacesAreReportedOnce) {
  EXPECT_TRUE(reports_once(order_case("again_and_again")));
}
TEST(LockOrder, ARingOfSeveralLocksIsReportedWhenItCloses) {
  EXPECT_TRUE(reports_once(order_case("ring_of_three")));
}
TEST(LockOrder, AWaitWithALimitIsNoneButWhatItBroughtIsHeld) {
  EXPECT_TRUE(reports_once(order_case("without_waiting")));
}
TEST(LockOrder, AScopedLockOfSeveralHasNone) {
  EXPECT_TRUE(is_silent(order_case("all_at_once")));
}
TEST(LockOrder, AnRLocksInnerLevelsHaveNone) {
  EXPECT_TRUE(is_silent(order_case("levels")));
}
TEST(LockOrder, UnderACommonLockAnyOrderIsRightAsLongAsItIsAlwaysHeld) {
  EXPECT_TRUE(reports_once(order_case("gate")));
}
TEST(LockOrder, UnderDifferentLocksItIsNot) {
  EXPECT_TRUE(reports_once(order_case("two_gates")));
}
TEST(LockOrder, AConditionTakesItsLockAgain) {
  EXPECT_TRUE(reports_once(order_case("condition")));
}
TEST(LockOrder, AConditionWithNoOtherLockIsInOrder) {
  EXPECT_TRUE(is_silent(order_case("condition_with_one_lock")));
}
TEST(LockOrder, IsForgottenWithTheLock) {
  EXPECT_TRUE(is_silent(order_case("destroyed")));
}
TEST(LockOrder, SignalsHaveNone) {
  EXPECT_TRUE(is_silent(order_case("signal")));
}
TEST(LockOrder, MayBeAllowed) {
  EXPECT_TRUE(reports_once(order_case("allowed")));
}
TEST(LockOrder, MayBeSuppressedByNamesOfLocksAndFunctions) {
  EXPECT_TRUE(reports_once(order_case("ring_of_three", {"TUTTI_LOCK_ORDER_SUPPRESS=x,aa,a?"})));
  for (const char* globs : {"b", "x,c", "ring_of_th*", "x,*take<*>"}) {
    const Ended ended =
        order_case("ring_of_three", {std::string("TUTTI_LOCK_ORDER_SUPPRESS=") + globs});
    EXPECT_EQ(ended.err, "") << globs;
    EXPECT_NE(ended.out.find("now there is none"), std::string::npos) << "no report by API either";
  }
}
TEST(LockOrder, OfManyLocksIsKeptInBoundedMemory) {
  EXPECT_TRUE(is_silent(order_case("many")));
}
TEST(LockOrder, IsKnownInAForksChild) {
  const Ended ended = order_case("forked");
  EXPECT_TRUE(reports_once(ended));
}
TEST(LockOrder, MayBeKeptByManyThreads) {
  EXPECT_TRUE(is_silent(order_case("with_threads")));
}
TEST(LockOrder, IsNotLookedAtUnlessAskedFor) {
  const Ended ended = run_program(PROGRAM_LOCK_ORDER, {"ring_of_three"}, {"TUTTI_LOCK_ORDER=0"});
  EXPECT_EQ(ended.err, "");
}

}  // namespace tests
