// How programs with threads end: run as programs of their own (tests/programs/program_end.cpp).
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "support/run_program.h"
#include "support/sanitizer.h"

namespace tests {

Ended run_case(const std::string& name) {
  return run_program(PROGRAM_END, {name});
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string go = "static objects go\n";

TEST(ProgramEnd, WithoutThreadsIsJustAnEnd) {
  EXPECT_TRUE(ended_with(run_case("nothing_quietly"), 0, ""));
}

TEST(ProgramEnd, WaitsForOtherThreadsBeforeStaticObjectsGo) {
  EXPECT_TRUE(ended_with(run_case("thread_outlives_main"), 6, "main returns\nthread ends\n" + go));
}

TEST(ProgramEnd, WaitsForThreadsThatThoseStarted) {
  EXPECT_TRUE(ended_with(run_case("threads_start_threads_after_main"), 0,
                         "child ends\ngrandchild ends\n" + go));
}

TEST(ProgramEnd, WaitsForATimer) {
  EXPECT_TRUE(ended_with(run_case("timer_rings_after_main"), 0, "main returns\nring\n" + go));
}

TEST(ProgramEnd, WaitsForAThreadThatIsAStaticObject) {
  EXPECT_TRUE(ended_with(run_case("static_subclass"), 0,
                         "a word too long for the object itself, so it lies on the heap\n"
                         "worker goes\nstatic objects go\n"));
}

TEST(ProgramEnd, ByExitInMainWaitsJustTheSame) {
  EXPECT_TRUE(ended_with(run_case("exit_in_main"), 7, "main exits\nthread ends\n" + go));
}

TEST(ProgramEnd, ByExitInAThreadWaitsForTheOthers) {
  EXPECT_TRUE(ended_with(run_case("exit_in_thread"), 8, "thread exits\nother ends\n" + go));
}

TEST(ProgramEnd, ByQuickExitWaitsForNobody) {
  EXPECT_TRUE(ended_with(run_case("quick_exit_with_threads"), 9, ""));
}

TEST(ProgramEnd, ByAnExceptionInMainWaitsForNobody) {
  const Ended ended = run_case("exception_in_main");
  EXPECT_FALSE(ended.hung);
  EXPECT_EQ(ended.code, -SIGABRT);
  EXPECT_TRUE(says(ended.err, "nobody catches this")) << ended.err;
}

TEST(ProgramEnd, ByPthreadExitInMainWaitsForTheOthers) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it hangs in pthread_exit of main";
  if (under_address_sanitizer) GTEST_SKIP() << "it counts as leaked what the last thread has";
  const Ended ended = run_case("pthread_exit_in_main");
  EXPECT_FALSE(ended.hung);
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "thread ends\n" + go) << ended.err;
}

TEST(ProgramEnd, ComesNotByAnExceptionInAThread) {
  const Ended ended = run_case("exception_in_thread");
  EXPECT_FALSE(ended.hung);
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "main goes on\n" + go);
  EXPECT_TRUE(says(ended.err, "reader")) << ended.err;
  EXPECT_TRUE(says(ended.err, "std::out_of_range")) << ended.err;
  EXPECT_TRUE(says(ended.err, "seventh of six")) << ended.err;
}

TEST(ProgramEnd, ComesByTheSecondCtrlCIfTheFirstWasNotSeen) {
  EXPECT_TRUE(ended_with(run_case("sigint_twice_while_busy"), -SIGINT, "first one waits\n"));
}

TEST(ProgramEnd, ComesByCtrlCUnlessAskedOtherwise) {
  EXPECT_TRUE(ended_with(run_case("sigint_not_handled"), -SIGINT, ""));
}

TEST(ProgramEnd, ComesNotByPthreadExitInAThread) {
  EXPECT_TRUE(ended_with(run_case("pthread_exit_in_thread"), 0, "joined\n" + go));
}

TEST(ProgramEnd, LeavesStaticObjectsTheUseOfEverything) {
  EXPECT_TRUE(ended_with(run_case("static_objects"), 0, "constructor\ndestructor\n" + go));
}

TEST(ProgramEnd, LeavesThreadLocalObjectsOfMainTheUseOfLocks) {
  EXPECT_TRUE(ended_with(run_case("thread_local_of_main"), 0, "thread_local goes\n" + go));
}

TEST(ProgramEnd, ComesAfterThreadsStartedBeforeMain) {
  EXPECT_TRUE(
      ended_with(run_case("start_in_static_constructor"), 0, "joined thread\nleft thread\n" + go));
}

TEST(ProgramEnd, LetsNoThreadStartAfterIt) {
  EXPECT_TRUE(ended_with(run_case("start_after_the_end"), 0,
                         "start refused\nstart_new_thread refused\n" + go));
}

}  // namespace tests
