// What becomes of programs that would hang (tests/programs/program_deadlock.cpp), by what the
// environment says and by how they wait.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "support/run_program.h"
#include "support/sanitizer.h"

namespace tests {

Ended deadlock_case(const std::string& name, const std::vector<std::string>& variables = {}) {
  return run_program(PROGRAM_DEADLOCK, {name}, variables);
}

testing::AssertionResult has_parts(const std::string& text, std::vector<std::string> parts) {
  for (const std::string& part : parts) {
    if (text.find(part) == text.npos) {
      return testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
    }
  }
  return testing::AssertionSuccess();
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(DeadlockPolicy, ReportTellsOnceAndLetsThemWait) {
  const Ended ended = deadlock_case("ring_that_stays", {"TUTTI_DEADLOCK=report"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "both wait\n");
  EXPECT_TRUE(has_parts(
      ended.err, {"tutti: deadlock: 2 threads wait for each other",
                  "thread 'Kant' waits for Lock 'make_ring()::locks+4'",
                  "thread 'Plato' waits for Lock 'make_ring()::locks'", "program_deadlock.cpp:"}));
  EXPECT_EQ(count_of(ended.err, "deadlock:"), 1u) << ended.err;
}

TEST(DeadlockPolicy, OffLetsThemWaitInSilence) {
  EXPECT_TRUE(
      ended_with(deadlock_case("ring_that_stays", {"TUTTI_DEADLOCK=off"}), 0, "both wait\n"));
}

TEST(DeadlockPolicy, AbortTellsAndAborts) {
  const Ended ended = deadlock_case("ring_to_abort", {"TUTTI_DEADLOCK=abort"});
  EXPECT_EQ(ended.code, -SIGABRT);
  EXPECT_TRUE(has_parts(ended.err, {"tutti: deadlock: 2 threads wait for each other"}));
}

TEST(DeadlockPolicy, AWrongWordIsToldAndTheDefaultHolds) {
  const Ended ended = deadlock_case("slow_wait", {"TUTTI_DEADLOCK=explode"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err,
            "tutti: TUTTI_DEADLOCK='explode' is ignored: expected throw, report, abort or off\n");
}

TEST(DeadlockPolicy, StacksAreToldOnRequest) {
  const Ended ended = deadlock_case("ring_that_stays", {"TUTTI_DEADLOCK=report", "TUTTI_STACKS=1"});
  EXPECT_TRUE(has_parts(
      ended.err, {"operator()", " at program_deadlock.cpp:", "and holds Lock 'make_ring()::locks",
                  "taken at program_deadlock.cpp:"}));
}

TEST(DeadlockAtTheEnd, AThreadThatMainWaitsForThrows) {
  const Ended ended = deadlock_case("ring_with_the_end");
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(
      has_parts(ended.err, {"Exception in thread worker", "2 threads wait for each other",
                            "waits for the end of thread 'worker'", "thrown in thread 'worker'"}));
}

TEST(DeadlockAtTheEnd, ALockOfADaemonThatWasStoppedIsRefused) {
  const Ended ended = deadlock_case("lock_of_a_stopped_daemon");
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(has_parts(ended.out, {"held by thread 'daemon', which has ended without releasing"}));
}

TEST(SlowWait, IsToldWithHolderAndWaiter) {
  const Ended ended = deadlock_case("slow_wait", {"TUTTI_SLOW_WAIT=50"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(has_parts(ended.err, {"tutti: thread 'waiter' has waited ", " ms for Lock at ",
                                    ", held by thread 'holder', which waits for Event at "}));
  EXPECT_EQ(count_of(ended.err, "has waited"), 1u) << ended.err;
}

TEST(SlowWait, IsNotToldUnlessAskedFor) {
  EXPECT_TRUE(ended_with(deadlock_case("slow_wait"), 0, ""));
}

// Where all threads of a process wait.
class Stall : public testing::Test {
 protected:
  void SetUp() override {
    if (under_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
  }
};

TEST_F(Stall, OfAForgottenSetIsToldOnce) {
  const Ended ended = deadlock_case("forgotten_event");
  EXPECT_EQ(ended.code, -SIGALRM);
  EXPECT_TRUE(
      has_parts(ended.err, {"tutti: stall: all 2 threads wait",
                            "thread 'MainThread' waits for the end of thread 'waiter'",
                            "thread 'waiter' waits for Event 'forgotten_event()::forgotten'"}));
  EXPECT_EQ(count_of(ended.err, "stall:"), 1u) << ended.err;
}

TEST_F(Stall, AGetterThatNobodyServesAnyMoreLetsTheProgramEnd) {
  const Ended ended = deadlock_case("getter_at_the_end");
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(has_parts(ended.err, {"Exception in thread worker",
                                    "thread 'worker' waits for an item of Queue 'jobs', and no "
                                    "thread is left that could end that"}));
}

TEST_F(Stall, IsNoneWhereASignalMayCome) {
  EXPECT_TRUE(ended_with(deadlock_case("waits_for_a_signal"), 7, ""));
}

TEST_F(Stall, IsNoneWhereAThreadWaitsForInput) {
  EXPECT_TRUE(ended_with(deadlock_case("waits_for_input"), 0, ""));
}

TEST_F(Stall, IsNoneWhereAThreadThatTuttiDoesNotKnowMayCome) {
  EXPECT_TRUE(ended_with(deadlock_case("waits_for_a_foreign_thread"), 0, ""));
}

}  // namespace tests
