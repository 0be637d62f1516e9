// `tutti dump`: stacks of all threads, and who waits for whom.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "look/words.h"
#include "support/until.h"
#include "tools/command.h"

namespace tests {

// The part about one thread.
std::string part_of(const std::string& dump, const std::string& thread) {
  const std::size_t begin = dump.find("\n\n" + thread);
  if (begin == std::string::npos) return "";
  return dump.substr(begin + 2, dump.find("\n\n", begin + 2) - begin - 2) + "\n";
}

TEST(Dump, HasTheWaitGraphInWords) {
  const Background program = hanging("many-ways");
  until_told(program);
  const Ended ended = tutti({"dump", number(program.pid())});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(has(ended.out, "process " + number(program.pid()) +
                                 " (program_hung), 9 threads\n"
                                 "  Anna waits for Lock 'right', which Bert has\n"
                                 "  Bert waits for Lock 'left', which Anna has\n"
                                 "  joiner waits for join of Anna\n"
                                 "  @ deadlock: Anna waits for Lock 'right', which Bert has; "
                                 "Bert waits for Lock 'left', which Anna has\n"));
}

TEST(Dump, HasTheStackOfEachThreadWithNamesAndLines) {
  const Background program = hanging("many-ways");
  until_told(program);
  const std::string dump = tutti({"dump", number(program.pid())}).out;
  const std::string anna = part_of(dump, "Anna");
  EXPECT_TRUE(has_line(anna,
                       "^Anna \\(daemon\\), tid \\d+: blocked \\(lock pool\\), Lock 'right', "
                       "held by Bert, for [0-9.]+ s, in a ring$"));
  EXPECT_TRUE(has_line(
      anna, "^ +\\d+  tutti::sync::LockCell::acquire_slow\\(.*\\) at lock_cell.cpp:\\d+$"));
  EXPECT_TRUE(has_line(anna, " program_hung.cpp:\\d+"));
  EXPECT_TRUE(has(part_of(dump, "joiner"), "tutti::threading::Thread::join"));
  EXPECT_TRUE(has(part_of(dump, "getter"), "tutti::queue::"));
  EXPECT_TRUE(has_line(part_of(dump, "MainThread"), "^ +\\d+  main at program_hung.cpp:\\d+$"));
}

TEST(Dump, HasThreadsThatTuttiDoesNotKnow) {
  const Background program = hanging("many-ways");
  const std::string dump = tutti({"dump", number(program.pid())}).out;
  EXPECT_TRUE(has_line(dump, "^program_hung, tid \\d+: not known to tutti, S for the kernel$"));
}

TEST(Dump, LetsTheProgramGoOn) {
  Background program = hanging("come-and-go");
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(has(tutti({"dump", number(program.pid())}).out, "maker"));
    until([&] { return program.state() == 'S' || program.state() == 'R'; });
  }
  const std::size_t before = program.said().size();
  program.send(SIGQUIT);
  until([&] { return program.said().find("maker", before) != std::string::npos; });
}

TEST(Dump, LeavesAStoppedProgramStopped) {
  Background program = hanging("many-ways");
  until_told(program);
  program.send(SIGSTOP);
  until([&] { return program.is_stopped(); });
  const Ended ended = tutti({"dump", number(program.pid())});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(has(ended.out, ", stopped\n"));
  EXPECT_TRUE(has(part_of(ended.out, "Anna"), "LockCell::acquire_slow"));
  until([&] { return program.is_stopped(); });
  program.send(SIGCONT);
  until([&] { return program.state() == 'S'; });
}

TEST(Dump, PrintsWhatThreadsLeftBehindIfItMayNotStopThem) {
  const Background program = hanging("many-ways");
  until_told(program);
  // As a debugger would: a process has one tracer.
  ASSERT_EQ(ptrace(PTRACE_SEIZE, program.pid(), nullptr, nullptr), 0);
  const Ended ended = tutti({"dump", number(program.pid())});
  ptrace(PTRACE_INTERRUPT, program.pid(), nullptr, nullptr);
  waitpid(program.pid(), nullptr, 0);
  ptrace(PTRACE_DETACH, program.pid(), nullptr, nullptr);
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(has(ended.err, "not permitted to stop process " + number(program.pid()) +
                                 " (program_hung) for a look at its stacks: a debugger has it"));
  EXPECT_TRUE(has(ended.err, "these are the stacks that long waiting threads left behind"));
  EXPECT_TRUE(has(part_of(ended.out, "Anna"), "LockCell::acquire_slow"));
  EXPECT_TRUE(has(part_of(ended.out, "reader"), "no stack"));
}

TEST(Dump, MayBeAskedOfAProgramThatIsBeingKilled) {
  for (int i = 0; i < 10; ++i) {
    Background program = hanging("come-and-go");
    std::thread killer([&] { program.end(); });
    const Ended ended = tutti({"dump", number(program.pid())});
    killer.join();
    EXPECT_FALSE(ended.hung);
    EXPECT_GE(ended.code, 0) << "it must not crash, but did: " << ended.err;
  }
}

TEST(Dump, SaysWhichProcessIsNotThere) {
  const Ended ended = tutti({"dump", "0"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "tutti: there is no process 0\n");
}

TEST(Dump, CutsTheLongPartsOfFunctionNames) {
  EXPECT_EQ(look::shortened("main"), "main");
  EXPECT_EQ(look::shortened("tutti::v0::sleep(double)"), "tutti::sleep(double)");
  EXPECT_EQ(look::shortened("tutti::values::f(tutti::v12::T)"), "tutti::values::f(tutti::T)");
  const std::string inner(50, 'x');
  EXPECT_EQ(look::shortened("f<" + inner + ">(int)"), "f<…>(int)");
  EXPECT_EQ(look::shortened("f(g<" + inner + ">, (anonymous namespace)::h)"), "f(…)");
  EXPECT_EQ(look::shortened("A::operator<(" + inner + ") const"), "A::operator<(…) const");
  EXPECT_EQ(look::shortened("A::operator->(" + inner), "A::operator->(…");
}

}  // namespace tests
