// Pools at the end of the program and in forks: run as programs of their own
// (tests/programs/program_pools.cpp).
#include <gtest/gtest.h>

#include <string>

#include "support/run_program.h"
#include "support/sanitizer.h"

namespace tests {

namespace {

Ended run_case(const std::string& name) {
  return run_program(PROGRAM_POOLS, {name});
}

const std::string go = "static objects go\n";

TEST(PoolsEnd, AllCallsAreMadeBeforeStaticObjectsGo) {
  const std::string all = "main returns\none\ntwo\nthree\n" + go;
  EXPECT_TRUE(ended_with(run_case("leaked_pool"), 5, all));
  EXPECT_TRUE(ended_with(run_case("static_pool"), 5, all));
}

TEST(PoolsEnd, WorkersWithoutWorkHoldNothingUp) {
  EXPECT_TRUE(ended_with(run_case("idle_pool"), 0, go));
}

TEST(PoolsEnd, NothingIsAcceptedAnyMore) {
  EXPECT_TRUE(ended_with(run_case("submit_at_the_end"), 0, "refused\n" + go));
}

TEST(PoolsEnd, CallsThatWaitForOthersGoOn) {
  EXPECT_TRUE(ended_with(run_case("nested_at_the_end"), 0, "three\n" + go));
}

TEST(PoolsEnd, MayComeByExitInACall) {
  EXPECT_TRUE(ended_with(run_case("exit_in_call"), 7, go));
}

TEST(PoolsFork, LeavesThePoolToTheParent) {
  if (under_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer: dup thread with used id";
  EXPECT_TRUE(ended_with(run_case("fork_with_pool"), 0, go + go));
}

}  // namespace

}  // namespace tests
