// Whole programs with child processes: what they print, and how they end
// (tests/programs/program_process.cpp).
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
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

TEST(ProcessProgram, ReportTellsOnceOfARingOfProcesses) {
  const Ended ended = run_program(PROGRAM_PROCESS, {"ring"}, {"TUTTI_DEADLOCK=report"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "both wait\n-9\n");
  const std::string told = "tutti: deadlock: 2 threads of 2 processes wait for each other";
  EXPECT_EQ(ended.err.find(told), 0u) << ended.err;
  EXPECT_EQ(ended.err.find(told, 1), ended.err.npos) << ended.err;
}

TEST(ProcessProgram, AbortEndsTheProcessThatTellsOfARing) {
  const Ended ended = run_program(PROGRAM_PROCESS, {"ring"}, {"TUTTI_DEADLOCK=abort"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, std::to_string(-SIGABRT) + "\n");
  EXPECT_NE(ended.err.find("deadlock: 2 threads of 2 processes"), ended.err.npos) << ended.err;
}

// A spawned process has the same setting in its environment as the program that has spawned it.
TEST(ProcessProgram, ATimelineOfASpawnedProcessGoesToAFileOfItsOwn) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("tutti-spawned-" + std::to_string(getpid()));
  fs::create_directory(folder);
  const fs::path file = folder / "timeline.json";
  const Ended ended = run_program(PROGRAM_PROCESS, {"spawned"}, {"TUTTI_TRACE=" + file.string()});
  EXPECT_EQ(ended.code, 0);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++files;
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(files, 2u);
  fs::remove_all(folder);
}

void run_without_streams(const std::string& name) {
  for (const char* closed : {"<&-", ">&-", "<&- >&- 2>&-"}) {
    const std::string command = "exec \"$0\" " + name + " " + closed;
    EXPECT_EQ(run_program("/bin/sh", {"-c", command, PROGRAM_PROCESS}).code, 0) << closed;
  }
}

TEST(ProcessProgram, RunsWithoutStandardStreams) {
  run_without_streams("without_streams");
}

// Nor a survivor, named memory, a Pipe, or a descriptor that was received.
TEST(ProcessProgram, NothingTakesThePlaceOfAClosedStandardStream) {
  run_without_streams("objects_without_streams");
}

TEST(ProcessProgram, AnInterruptionEndsTheWaitForChildren) {
  const Ended ended = process_case("interrupted_at_the_end");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err, "tutti: interrupted while waiting for processes; ending without them\n");
}

}  // namespace tests
