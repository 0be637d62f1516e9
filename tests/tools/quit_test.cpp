// kill -QUIT: a program tells what its threads do, and goes on.
#include <signal.h>

#include "support/until.h"
#include "tools/command.h"

namespace tests {

// What it says once the report is complete.
std::string report_of(Background& program, const std::string& last) {
  program.send(SIGQUIT);
  until([&] { return program.said().find(last) != std::string::npos; });
  return program.said();
}

TEST(Quit, TellsWhatEachThreadWaitsFor) {
  Background program = hanging("many-ways");
  // A thread tells what it waits for by name once it has waited for a while, each for itself.
  until([&] {
    const std::string shown = tutti({"ps", std::to_string(program.pid())}).out;
    return has(shown, "deadlock:") && has(shown, "Queue 'jobs'");
  });
  const std::string said = report_of(program, "\"odd");
  EXPECT_TRUE(has(said, "tutti: SIGQUIT: the threads of process " + std::to_string(program.pid())));
  EXPECT_TRUE(has_line(said, "^\"MainThread\" tid \\d+, waits for Event at 0x\\w+, for [0-9.]+ s"));
  EXPECT_TRUE(has_line(said,
                       "^\"Anna\" tid \\d+, waits for Lock 'right', held by \"Bert\" tid \\d+, for "
                       "[0-9.]+ s, called from( 0x\\w+)+$"));
  EXPECT_TRUE(has_line(said, "^\"joiner\" tid \\d+, waits for join of \"Anna\" tid \\d+, for "));
  EXPECT_TRUE(has_line(said, "^\"sleeper\" tid \\d+, waits for sleep, for [0-9.]+ s, ends in "));
  EXPECT_TRUE(has_line(said, "^\"getter\" tid \\d+, waits for empty Queue 'jobs', for "));
  EXPECT_TRUE(has_line(said, "^\"reader\" tid \\d+, asleep in a system call$"));
  EXPECT_TRUE(has(said, "\"odd?[31m"));
}

TEST(Quit, MayComeAgainAndAgainWhileThreadsComeAndGo) {
  Background program = hanging("come-and-go");
  for (int i = 0; i < 50; ++i) {
    const std::size_t before = program.said().size();
    program.send(SIGQUIT);
    until([&] { return program.said().find("\"maker\"", before) != std::string::npos; });
  }
  EXPECT_NE(program.state(), 'Z');
}

TEST(Quit, EndsAProgramThatDoesNotWantTheReport) {
  Background program = hanging("wait", {"TUTTI_QUIT=off"});
  program.send(SIGQUIT);
  until([&] { return program.state() == 'Z'; });
  EXPECT_FALSE(has(program.said(), "SIGQUIT"));
}

TEST(Quit, LeavesAHandlerOfTheProgramAlone) {
  Background program = hanging("own-quit");
  const std::string said = report_of(program, "its own handler");
  EXPECT_FALSE(has(said, "MainThread"));
}

TEST(Quit, LeavesAProgramAloneThatWasStartedWithTheSignalIgnored) {
  Background program = hanging("quit-ignored");
  program.send(SIGQUIT);
  EXPECT_TRUE(has(program.said(), "SIGQUIT is ignored"));
}

TEST(Quit, TellsOfAProgramThatHidesFromOthers) {
  Background program = hanging("wait", {"TUTTI_INSPECT=off"});
  // It has said that it hangs just before it does.
  until([&] {
    return report_of(program, "MainThread").find("waits for Event") != std::string::npos;
  });
}

}  // namespace tests
