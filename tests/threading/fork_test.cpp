// fork in a program with threads: run as programs of their own (tests/programs/program_fork.cpp).
#include <gtest/gtest.h>

#include <string>

#include "support/run_program.h"
#include "support/sanitizer.h"

namespace tests {

Ended fork_case(const std::string& name) {
  return run_program(PROGRAM_FORK, {name});
}

// Cases with threads that a child starts, which ThreadSanitizer can't follow.
class ForkWithThreadsInTheChild : public testing::Test {
 protected:
  void SetUp() override {
    if (under_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer: dup thread with used id";
  }
};

TEST_F(ForkWithThreadsInTheChild, ALockOfAThreadThatIsNotInTheChildIsAnErrorThere) {
  EXPECT_TRUE(ended_with(fork_case("lock_of_a_vanished_thread"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, AnRLockOfAThreadThatIsNotInTheChildIsAnErrorThere) {
  EXPECT_TRUE(ended_with(fork_case("rlock_of_a_vanished_thread"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, AConditionOfAThreadThatIsNotInTheChildIsAnErrorThere) {
  EXPECT_TRUE(ended_with(fork_case("condition_of_a_vanished_thread"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, ALockOfTheForkingThreadIsItsOwnInTheChildToo) {
  EXPECT_TRUE(ended_with(fork_case("lock_of_the_forking_thread"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, AnRLockOfTheForkingThreadIsItsOwnInTheChildToo) {
  EXPECT_TRUE(ended_with(fork_case("rlock_of_the_forking_thread"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, AConditionOfTheForkingThreadIsItsOwnInTheChildToo) {
  EXPECT_TRUE(ended_with(fork_case("condition_of_the_forking_thread"), 0, ""));
}
TEST(Fork, LeavesNobodyWhoWaitsForALockInTheChild) {
  EXPECT_TRUE(ended_with(fork_case("lock_with_waiters"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, LeavesNobodyWhoWaitsForAnythingElseInTheChild) {
  EXPECT_TRUE(ended_with(fork_case("waiters_are_gone"), 0, ""));
}
TEST(Fork, TheChildHasOneThreadWhichIsTheMainOne) {
  EXPECT_TRUE(ended_with(fork_case("child_has_one_thread"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, InAThreadMakesThatTheMainOneOfTheChild) {
  EXPECT_TRUE(ended_with(fork_case("fork_in_a_thread"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, AChildMayForkAgain) {
  EXPECT_TRUE(ended_with(fork_case("child_of_a_child"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, TheChildsEndWaitsForItsOwnThreadsOnly) {
  EXPECT_TRUE(ended_with(fork_case("child_waits_for_its_threads"), 0,
                         "thread of the child ends\nparent ends\n"));
}
TEST(Fork, LeavesNobodyWhoWaitsAtAQueueInTheChild) {
  EXPECT_TRUE(ended_with(fork_case("queue_with_waiters"), 0, ""));
}
TEST(Fork, LeavesQueuesWholeThatOthersAreUsing) {
  EXPECT_TRUE(ended_with(fork_case("queue_in_use"), 0, ""));
}
TEST_F(ForkWithThreadsInTheChild, MayComeAtAnyTime) {
  if (under_address_sanitizer) GTEST_SKIP() << "its allocator's locks do not survive such a fork";
  EXPECT_TRUE(ended_with(fork_case("forks_while_threads_work"), 0, ""));
}

}  // namespace tests
