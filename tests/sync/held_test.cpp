// Which locks a thread holds, while locks are watched: run as programs of their own
// (tests/programs/program_held.cpp), since that is settled when a program begins.
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "support/run_program.h"

namespace tests {

class HeldLocks : public testing::TestWithParam<std::string> {
 protected:
  Ended run_case(const std::string& name) {
    return run_program(PROGRAM_HELD, {name}, {GetParam()});
  }
};

TEST_P(HeldLocks, AreKnownFromAcquireToRelease) {
  EXPECT_TRUE(ended_with(run_case("from_acquire_to_release"), 0, ""));
}
TEST_P(HeldLocks, ThatAreRecursiveAreHeldOnce) {
  EXPECT_TRUE(ended_with(run_case("levels"), 0, ""));
}
TEST_P(HeldLocks, AreWhoseTurnHasCome) {
  EXPECT_TRUE(ended_with(run_case("after_a_wait"), 0, ""));
}
TEST_P(HeldLocks, ThatAnotherThreadReleasesAreNobodysFromThenOn) {
  EXPECT_TRUE(ended_with(run_case("released_by_another"), 0, ""));
}
TEST_P(HeldLocks, AreGivenUpForTheTimeOfAWaitForACondition) {
  EXPECT_TRUE(ended_with(run_case("waiting_for_a_condition"), 0, ""));
}
TEST_P(HeldLocks, OfTheForkingThreadAreHeldInTheChildToo) {
  EXPECT_TRUE(ended_with(run_case("forked"), 0, ""));
}
TEST_P(HeldLocks, ThatAreDestroyedAreForgotten) {
  EXPECT_TRUE(ended_with(run_case("destroyed_while_held"), 0, ""));
}
TEST_P(HeldLocks, AreReportedAtTheEndOfTheirThread) {
  const Ended ended = run_case("held_at_the_end_of_a_thread");
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(std::regex_match(
      ended.err, std::regex("tutti: thread 'forgetful' ends while it holds Lock 'accounts', "
                            "acquired [0-9.]+ s ago at program_held.cpp:[0-9]+\n")))
      << ended.err;
}
INSTANTIATE_TEST_SUITE_P(By, HeldLocks, testing::Values("TUTTI_STACKS=1", "TUTTI_LOCK_ORDER=1"),
                         [](const auto& test) {
                           return test.param.substr(0, test.param.find('='));
                         });

TEST(UnwatchedLocks, AreNotWrittenDown) {
  EXPECT_TRUE(ended_with(
      run_program(PROGRAM_HELD, {"not_watched"}, {"TUTTI_STACKS=0", "TUTTI_LOCK_ORDER="}), 0, ""));
}

}  // namespace tests
