// `tutti run`: programs of pthread go on as they would, and their deadlocks are told.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "support/run_program.h"

namespace tests {

namespace {

namespace fs = std::filesystem;

constexpr int deadlock_was_told = 7;

/// A folder that lives as long as this object.
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "tutti-run-XXXXXX";
    path = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

testing::AssertionResult has(const std::string& text, const std::string& part) {
  if (text.find(part) != text.npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no '" << part << "' in:\n" << text;
}

testing::AssertionResult matches(const std::string& text, const std::string& pattern) {
  if (std::regex_search(text, std::regex(pattern))) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "nothing like '" << pattern << "' in:\n" << text;
}

Ended run(const std::vector<std::string>& words, const std::vector<std::string>& variables = {}) {
  std::vector<std::string> all{"run"};
  all.insert(all.end(), words.begin(), words.end());
  return run_program(TUTTI_COMMAND, all, variables);
}

Ended run_case(const std::string& name, const std::vector<std::string>& variables = {}) {
  return run({PROGRAM_PTHREAD, name}, variables);
}

/// What is told of a program that hangs, and ends once that was told.
std::string report_of(const std::string& name) {
  const Folder folder;
  const fs::path report = folder.path / "report";
  const Ended ended = run({"--report", report, "--", PROGRAM_PTHREAD, name});
  EXPECT_TRUE(ended_with(ended, deadlock_was_told, ""));
  return read_file(report);
}

}  // namespace

// --- deadlocks -----------------------------------------------------------------------------------

TEST(Run, TellsOfTwoMutexesWithThreadsNamesAndStacks) {
  const std::string report = report_of("two_mutexes");
  EXPECT_TRUE(has(report, "tutti: deadlock: 2 threads wait for each other, for ever\n"));
  EXPECT_TRUE(matches(report,
                      "thread 'teller' \\([0-9]+\\) waits for mutex at 0x[0-9a-f]+ "
                      "\\(journal, program_pthread\\+0x[0-9a-f]+\\), for 0\\.[0-9]+ "
                      "s\n    and holds mutex at 0x[0-9a-f]+ \\(accounts, "));
  EXPECT_TRUE(matches(report,
                      "thread 'clerk' \\([0-9]+\\) waits for mutex at 0x[0-9a-f]+ "
                      "\\(accounts, .*\n    and holds mutex at 0x[0-9a-f]+ \\(journal, "));
  EXPECT_EQ(count(report, "transfer(std::mutex&, std::mutex&) at program_pthread.cpp:"), 2u);
  EXPECT_EQ(count(report, "deadlock"), 1u) << "told once";
}

TEST(Run, TellsOfARingOfEight) {
  const std::string report = report_of("ring_of_eight");
  EXPECT_TRUE(has(report, "tutti: deadlock: 8 threads wait for each other, for ever\n"));
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(count(report, "  thread 'guest " + std::to_string(i) + "' ("), 1u);
  }
  EXPECT_EQ(count(report, "\n    and holds mutex at 0x"), 8u);
  EXPECT_EQ(count(report, "deadlock"), 1u) << "told once";
}

TEST(Run, TellsOfReadersAndWriters) {
  const std::string report = report_of("writers");
  EXPECT_TRUE(matches(report, "thread 'reader' \\([0-9]+\\) waits for rwlock at "));
  EXPECT_TRUE(matches(report, "thread 'writer' \\([0-9]+\\) waits for rwlock at "));
}

TEST(Run, TellsOfAThreadThatJoinsOneThatWaitsForIt) {
  const std::string report = report_of("join_and_mutex");
  EXPECT_TRUE(matches(report,
                      "thread 'program_pthread' \\([0-9]+\\) waits for the end of "
                      "thread 'worker' \\([0-9]+\\), for .*\n    and holds mutex at "
                      "0x[0-9a-f]+ \\(accounts, "));
  EXPECT_TRUE(matches(report, "thread 'worker' \\([0-9]+\\) waits for mutex at "));
}

TEST(Run, TellsOfThreadsThatJoinEachOther) {
  const std::string report = report_of("joins");
  EXPECT_TRUE(has(report, "3 threads wait for each other"));
  EXPECT_TRUE(matches(report,
                      "thread 'joiner 2' \\([0-9]+\\) waits for the end of thread "
                      "'joiner 0' "));
}

TEST(Run, TellsOfAThreadThatLocksItsOwnMutex) {
  const std::string report = report_of("its_own_mutex");
  EXPECT_TRUE(has(report, "a thread waits for itself, for ever"));
  EXPECT_TRUE(matches(report,
                      "'twice' \\([0-9]+\\) waits for mutex at 0x[0-9a-f]+ "
                      "\\(left_behind, .*\n    and holds mutex at "));
}

TEST(Run, TellsOfAnOwnerThatHasEnded) {
  for (const char* name : {"owner_that_ended", "owner_that_vanished_in_fork"}) {
    const std::string report = report_of(name);
    EXPECT_TRUE(matches(report,
                        "^tutti: thread '.*' \\([0-9]+\\) waits for mutex at 0x[0-9a-f]+ "
                        "\\(left_behind, .*\\), whose owner \\(thread [0-9]+\\) has ended "
                        "without unlocking it\n"));
  }
}

TEST(Run, TellsOnStderrAndAbortsWhenAsked) {
  const Ended ended = run_case("two_mutexes_and_abort", {"TUTTI_DEADLOCK=abort"});
  EXPECT_EQ(ended.code, -SIGABRT);
  EXPECT_TRUE(has(ended.err, "tutti: deadlock: 2 threads wait for each other"));
}

TEST(Run, ShowsWaitsToPs) {
  const Folder folder;
  const Ended ended =
      run({"--report", folder.path / "report", PROGRAM_PTHREAD, "show"}, {"TUTTI=" TUTTI_COMMAND});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(matches(ended.out,
                      "teller .*blocked \\(lock pool\\) +mutex "
                      "'program_pthread\\+0x[0-9a-f]+' +clerk"));
}

// --- programs that are right ---------------------------------------------------------------------

TEST(Run, TellsNothingOfAStormThatIsRight) {
  EXPECT_TRUE(ended_with(run_case("storm"), 0, "calm\n"));
}

TEST(Run, ChangesNoResult) {
  EXPECT_TRUE(ended_with(run_case("results"), 41, "as without\n"));
}

TEST(Run, LetsThreadsBeCancelledWhileTheyWait) {
  EXPECT_TRUE(ended_with(run_case("cancellation"), 0, "cancelled\n"));
}

TEST(Run, FollowsForks) {
  EXPECT_TRUE(ended_with(run_case("forks"), 3, "forked\n"));
}

TEST(Run, LetsDestructorsOfEndingThreadsWait) {
  EXPECT_TRUE(ended_with(run_case("late_locks"), 0, "late\n"));
}

TEST(Run, PassesTheSignalThatEndsTheProgram) {
  EXPECT_TRUE(ended_with(run_case("killed"), -SIGTERM, ""));
}

TEST(Run, LeavesProgramsOfTuttiAlone) {
  for (const char* name : {"lock_with_waiters", "forks_while_threads_work"}) {
    const Ended without = run_program(PROGRAM_FORK, {name});
    EXPECT_TRUE(ended_with(run({PROGRAM_FORK, name}), without.code, without.out));
  }
}

// --- the command ---------------------------------------------------------------------------------

TEST(Run, LeavesTheTimelineToTheProgram) {
  const Folder folder;
  const fs::path timeline = folder.path / "trace.json";
  const std::string variable = "TUTTI_TRACE=" + timeline.string();
  EXPECT_TRUE(ended_with(run({"true"}, {variable}), 0, ""));
  EXPECT_FALSE(fs::exists(timeline)) << "of a program that knows nothing of tutti";
  EXPECT_EQ(run({PROGRAM_FORK, "lock_with_waiters"}, {variable}).code, 0);
  EXPECT_TRUE(has(read_file(timeline), "\"program_fork\""));
}

TEST(Run, LeavesTheProgramsOwnOptionsToIt) {
  EXPECT_TRUE(
      ended_with(run({"echo", "--report", "x", "--", "--help"}), 0, "--report x -- --help\n"));
  EXPECT_TRUE(ended_with(run({"--", "echo", "-n", "x"}), 0, "x"));
}

TEST(Run, KeepsWhatIsPreloadedAlready) {
  const Ended ended = run({"sh", "-c", "echo $LD_PRELOAD"}, {"LD_PRELOAD=libdl.so.2"});
  EXPECT_TRUE(matches(ended.out, "^/.*/libtutti_preload\\.so:libdl\\.so\\.2\n$"));
}

TEST(Run, SaysWhenThereIsNoSuchProgram) {
  Ended ended = run({"no-such-program"});
  EXPECT_EQ(ended.code, 127);
  EXPECT_EQ(ended.err, "tutti: no-such-program: no such program in PATH\n");
  ended = run({"/no/such/program"});
  EXPECT_EQ(ended.code, 127);
  EXPECT_EQ(ended.err, "tutti: /no/such/program: No such file or directory\n");
  EXPECT_NE(run({}).code, 0);
}

TEST(Run, SaysWhenTheProgramCantBeExecuted) {
  const Ended ended = run({TUTTI_SOURCE_DIR "/README.md"});
  EXPECT_EQ(ended.code, 126);
  EXPECT_TRUE(has(ended.err, "is not an executable file"));
}

TEST(Run, RefusesAStaticProgram) {
  const Ended ended = run({PROGRAM_STATIC});
  EXPECT_EQ(ended.code, 126);
  EXPECT_TRUE(has(ended.err, "program_static is linked statically"));
}

TEST(Run, RefusesAProgramWithOtherRights) {
  const Folder folder;
  const fs::path program = folder.path / "program";
  fs::copy_file("/bin/true", program);
  if (chown(program.c_str(), 65534, 65534) != 0) GTEST_SKIP() << "takes root's rights";
  ASSERT_EQ(chmod(program.c_str(), 04755), 0);
  const Ended ended = run({program});
  EXPECT_EQ(ended.code, 126);
  EXPECT_TRUE(has(ended.err, "runs with other rights than yours"));
}

TEST(Run, RefusesAProgramOfAnotherLibrary) {
  const Folder folder;
  const fs::path program = folder.path / "program";
  // One that asks for the loader of musl, made of one that asks for glibc's.
  std::string bytes = read_file("/bin/true");
  const std::string musl = "/lib/ld-musl.so.1";
  const std::size_t at = bytes.find("/lib", bytes.find("ELF"));
  ASSERT_NE(at, bytes.npos);
  bytes.replace(at, musl.size() + 1, musl.c_str(), musl.size() + 1);
  std::ofstream(program) << bytes;
  fs::permissions(program, fs::perms::owner_all);
  const Ended ended = run({program});
  EXPECT_EQ(ended.code, 126);
  EXPECT_TRUE(has(ended.err, "uses the C library musl"));
}

TEST(Run, RunsScripts) {
  const Folder folder;
  const fs::path script = folder.path / "script";
  std::ofstream(script) << "#!/bin/sh\necho \"$1\"\nexit 5\n";
  fs::permissions(script, fs::perms::owner_all);
  EXPECT_TRUE(ended_with(run({script, "word"}), 5, "word\n"));
}

}  // namespace tests
