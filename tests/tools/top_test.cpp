// `tutti top`: lines for pipes, and a view on a terminal.
#include <unistd.h>

#include <thread>

#include "support/until.h"
#include "tools/command.h"

namespace tests {

TEST(Top, PrintsLinesWhereThereIsNoTerminal) {
  const Background program = hanging("many-ways");
  until_told(program);
  const Ended ended = tutti({"top", number(program.pid()), "-n", "2", "-d", "0.05"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const std::string summary =
      "process " + number(program.pid()) + " (program_hung), 9 threads, 8 blocked, 1 ring\n";
  EXPECT_EQ(ended.out.find(summary), 0u);
  EXPECT_NE(ended.out.find("\n\n" + summary), std::string::npos) << "it comes twice";
  EXPECT_TRUE(has_line(ended.out, "^ +THREAD +TID +%CPU +STATE +WAITS FOR +HELD BY +FOR +LEFT$"));
  EXPECT_TRUE(
      has_line(ended.out, "^@ +Anna +\\d+ +[0-9.]+ +blocked .*Lock 'right' +Bert +[0-9.]+ s$"));
  EXPECT_EQ(ended.out.find('\x1b'), std::string::npos);
}

TEST(Top, PutsTheLongestBlockedFirstAndThoseWhoRunLast) {
  const Background program = hanging("busy");
  const std::string out = tutti({"top", number(program.pid()), "-n", "1"}).out;
  const std::size_t early = out.find("early");
  const std::size_t late = out.find("late");
  const std::size_t busy = out.find("busy-bee");
  EXPECT_LT(early, late) << out;
  EXPECT_LT(late, busy) << out;
  EXPECT_NE(busy, std::string::npos) << out;
}

TEST(Top, TellsHowMuchOfACoreAThreadUses) {
  const Background program = hanging("busy");
  until([&] {
    const std::string out = tutti({"top", number(program.pid()), "-n", "1"}).out;
    return has_line(out, "busy-bee +\\d+ +[1-9][0-9]*\\.\\d +(running|ready)") &&
           has_line(out, "early +\\d+ +0\\.0 +blocked");
  });
}

TEST(Top, ShowsAllProgramsIfNoneIsNamed) {
  const Background one = hanging("wait");
  const Background two = hanging("wait");
  const std::string out = tutti({"top", "-n", "1"}).out;
  EXPECT_TRUE(has_line(out, "^\\d+ programs, \\d+ threads, "));
  for (const Background* each : {&one, &two}) {
    EXPECT_TRUE(has_line(out, "^ *" + number(each->pid()) + " +program_hung +MainThread"));
  }
}

TEST(Top, EndsWithTheProgram) {
  Background program = hanging("wait");
  std::thread killer([&] { program.end(); });
  const Ended ended = tutti({"top", number(program.pid()), "-d", "0.02"});
  killer.join();
  EXPECT_FALSE(ended.hung);
  EXPECT_TRUE(has_line(ended.out + ended.err, "there is no process|has ended|is about to end"));
}

TEST(Top, RefusesNonsense) {
  EXPECT_NE(tutti({"top", "-n", "0"}).code, 0);
  EXPECT_NE(tutti({"top", "-d", "-1"}).code, 0);
  EXPECT_EQ(tutti({"top", "0", "-n", "1"}).err, "tutti: there is no process 0\n");
}

// --- on a terminal -------------------------------------------------------------------------------

// A terminal of 120 by 16, with `tutti top` in it.
class Terminal {
 public:
  explicit Terminal(const std::string& arguments) {
    tmux({"new-session", "-d", "-x", "120", "-y", "16",
          std::string(TUTTI_COMMAND) + " top " + arguments + "; echo ended with $?; sleep 60"});
  }
  ~Terminal() { tmux({"kill-server"}); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void press(const std::string& key) { tmux({"send-keys", key}); }
  std::string text() { return tmux({"capture-pane", "-p"}); }
  bool shows(const std::string& pattern) { return bool(has_line(text(), pattern)); }

 private:
  static std::string tmux(std::vector<std::string> command) {
    // A server of this test's own.
    std::vector<std::string> all{"-L", "tutti-test-" + std::to_string(getpid()), "-f", "/dev/null"};
    all.insert(all.end(), command.begin(), command.end());
    return run_program("/usr/bin/tmux", all).out;
  }
};

class TopOnATerminal : public testing::Test {
 protected:
  void SetUp() override {
    if (access("/usr/bin/tmux", X_OK) != 0) GTEST_SKIP() << "tmux is not installed";
  }
};

TEST_F(TopOnATerminal, FollowsTheProgramUntilQIsPressed) {
  const Background program = hanging("many-ways");
  until_told(program);
  Terminal terminal(number(program.pid()) + " -d 0.1");
  until([&] { return terminal.shows("^@ +Anna .*Lock 'right' +Bert"); }, "the view");
  EXPECT_TRUE(terminal.shows("^process \\d+ \\(program_hung\\), 9 threads, 8 blocked, 1 ring$"));
  EXPECT_TRUE(terminal.shows("^q quit "));
  EXPECT_TRUE(terminal.shows("^ +THREAD +TID +%CPU +STATE"));
  const std::string before = terminal.text();
  until([&] { return terminal.text() != before; }, "times that grow");
  terminal.press("q");
  until([&] { return terminal.shows("^ended with 0$"); }, "the end");
}

TEST_F(TopOnATerminal, SortsByTheUseOfCoresOnDemand) {
  const Background program = hanging("busy");
  Terminal terminal(number(program.pid()) + " -d 0.3");
  const auto comes_before = [&](const std::string& first, const std::string& second) {
    const std::string text = terminal.text();
    const std::size_t at = text.find(first);
    return at != std::string::npos && at < text.find(second);
  };
  until([&] { return comes_before("early", "busy-bee"); }, "the longest blocked");
  terminal.press("c");
  until([&] { return comes_before("busy-bee", "early"); }, "the busiest");
  terminal.press("b");
  until([&] { return comes_before("early", "busy-bee"); }, "the longest blocked once more");
}

TEST_F(TopOnATerminal, Scrolls) {
  const Background program = hanging("many");
  Terminal terminal(number(program.pid()) + " -d 0.3");
  until([&] { return terminal.shows("^waiter-01 "); }, "the first rows");
  EXPECT_FALSE(terminal.shows("^waiter-30 "));
  terminal.press("PageDown");
  terminal.press("PageDown");
  terminal.press("PageDown");
  until([&] { return terminal.shows("^waiter-30 "); }, "the last rows");
  terminal.press("Home");
  until([&] { return terminal.shows("^waiter-01 "); }, "the first rows once more");
}

TEST_F(TopOnATerminal, EndsWithTheProgram) {
  Background program = hanging("wait");
  Terminal terminal(number(program.pid()) + " -d 0.1");
  until([&] { return terminal.shows("MainThread"); }, "the view");
  program.end();
  until([&] { return terminal.shows("^ended with 0$"); }, "the end");
}

}  // namespace tests
