// Daemon threads at the end of a program: programs of their own
// (tests/programs/program_daemon.cpp).
#include <gtest/gtest.h>

#include <string>

#include "support/run_program.h"

namespace tests {

Ended daemon_case(const std::string& name) {
  return run_program(PROGRAM_DAEMON, {name});
}

TEST(DaemonEnd, NobodyWaitsForThemAndTheyTouchNothingThatIsGone) {
  EXPECT_TRUE(ended_with(daemon_case("running"), 5, "main returns\nstatic objects go\n"));
}

TEST(DaemonEnd, TheyLeaveTheirLocksToDestructors) {
  EXPECT_TRUE(ended_with(daemon_case("holding_up_no_destructor"), 5,
                         "main returns\ndestructor has the lock\nstatic objects go\n"));
}

// One that was blocked when main ended must not come back, whatever ends its wait, nor keep what
// the wait has brought it.
class DaemonAfterTheEnd : public testing::TestWithParam<const char*> {};

TEST_P(DaemonAfterTheEnd, DoesNotGoOn) {
  EXPECT_TRUE(ended_with(daemon_case(GetParam()), 0, "static objects go\n"));
}

INSTANTIATE_TEST_SUITE_P(DaemonEnd, DaemonAfterTheEnd,
                         testing::Values("woken_from_a_lock", "woken_from_an_event",
                                         "woken_from_a_semaphore", "woken_from_a_condition",
                                         "woken_from_a_barrier", "woken_by_a_timeout",
                                         "woken_by_a_timeout_of_a_condition", "waking_from_a_sleep",
                                         "joining_what_is_gone"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace tests
