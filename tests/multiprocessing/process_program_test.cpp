// Whole programs with child processes: what they print, and how they end
// (tests/programs/program_process.cpp).
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "support/run_program.h"
#include "support/sanitizer.h"

namespace tests {

Ended process_case(const std::string& name) {
  return run_program(PROGRAM_PROCESS, {name});
}

TEST(ProcessProgram, NothingIsPrintedTwiceOrLost) {
  EXPECT_TRUE(ended_with(process_case("streams"), 0,
                         "parent's cout\nparent's stdout\n"
                         "child's cout\nchild's stdout\natexit\n"));
}

TEST(ProcessProgram, AnExceptionIsToldOnStandardError) {
  const Ended ended = process_case("exception");
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "Process thrower:\ntutti::v0::ValueError: no such thing\n");
}

TEST(ProcessProgram, EndsDaemonsAndJoinsOthersBeforeStaticObjectsGo) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't follow a fork among threads";
  EXPECT_TRUE(ended_with(process_case("end"), 0,
                         "a child of a thread ends\nmain returns\nthe child ends\n"
                         "a static object is destroyed\n"));
}

TEST(ProcessProgram, AChildMayCallExit) {
  EXPECT_TRUE(ended_with(process_case("exit_in_child"), 7, ""));
}

TEST(ProcessProgram, AChildThatEndsItsThreadCallsNothingOfItsParents) {
  EXPECT_TRUE(ended_with(process_case("pthread_exit_in_child"), 0, "atexit\n"));
}

// A daemon that lives on would keep the program's output open, so its end is waited for.
TEST(ProcessProgram, DaemonsDieWithAParentThatIsKilled) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't follow a fork among threads";
  EXPECT_TRUE(ended_with(process_case("killed_parent"), -SIGKILL, "the other child goes on\n"));
}

// The fork server, too.
TEST(ProcessProgram, DaemonsDieWithAKilledParentHoweverTheyWereStarted) {
  EXPECT_TRUE(ended_with(process_case("killed_parent_of_others"), -SIGKILL,
                         "another child goes on\nanother child goes on\n"));
}

TEST(ProcessProgram, AnInterruptionEndsTheWaitForChildren) {
  const Ended ended = process_case("interrupted_at_the_end");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err, "tutti: interrupted while waiting for processes; ending without them\n");
}

}  // namespace tests
