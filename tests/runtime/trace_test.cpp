// Timelines of programs of which it is known what they do (tests/programs/program_trace.cpp).
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/trace_reading.h"
#include "support/run_program.h"

namespace tests {

namespace fs = std::filesystem;

class Tracing : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "tutti-trace-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file() const { return folder_ / "trace.json"; }

  Trace trace_of(const std::string& case_name, int code = 0) {
    setenv("TUTTI_TRACE", file().c_str(), 1);
    ended_ = run_program(PROGRAM_TRACE, {case_name});
    unsetenv("TUTTI_TRACE");
    EXPECT_FALSE(ended_.hung);
    EXPECT_EQ(ended_.code, code) << ended_.out << ended_.err;
    return read_trace(file());
  }

  fs::path folder_;
  Ended ended_;
};

bool has_flow(const Trace& trace, const std::string& name, const std::string& from,
              const std::string& to) {
  return std::any_of(trace.flows.begin(), trace.flows.end(), [&](const TraceFlow& flow) {
    return flow.name == name && flow.from == from && flow.to == to;
  });
}

TEST_F(Tracing, AHandOverOfALockIsShownFromGiverToTaker) {
  const Trace trace = trace_of("hand_over");
  EXPECT_EQ(trace.program, "program_trace");
  ASSERT_EQ(trace.threads.size(), 2u);
  const TraceThread* main = trace.thread("MainThread");
  const TraceThread* waiter = trace.thread("waiter");
  ASSERT_NE(main, nullptr);
  ASSERT_NE(waiter, nullptr);
  const auto waits = waiter->of("blocked");
  ASSERT_EQ(waits.size(), 1u);
  // Called by the variable that it is.
  EXPECT_EQ(waits[0].name, "Lock 'accounts'");
  EXPECT_TRUE(waits[0].object.starts_with("0x")) << waits[0].object;
  EXPECT_EQ(waits[0].holder, "MainThread");
  EXPECT_GE(waits[0].end - waits[0].begin, 2'000'000);
  ASSERT_EQ(waiter->of("asleep").size(), 1u);
  EXPECT_EQ(waiter->of("running").size(), 2u);
  EXPECT_EQ(main->marks, std::vector<std::string>{"release it"});
  ASSERT_TRUE(has_flow(trace, "hand-over", "MainThread", "waiter"));
  const auto joins = main->of("blocked");
  ASSERT_EQ(joins.size(), 1u);
  EXPECT_EQ(joins[0].name, "join of waiter");
  EXPECT_EQ(joins[0].holder, "waiter");
}

TEST_F(Tracing, AQueueGoesByItsName) {
  const Trace trace = trace_of("queue");
  const TraceThread* getter = trace.thread("getter");
  ASSERT_NE(getter, nullptr);
  const auto waits = getter->of("blocked");
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_EQ(waits[0].name, "empty Queue 'jobs'");
  EXPECT_EQ(waits[0].holder, "");
  EXPECT_TRUE(has_flow(trace, "wake", "MainThread", "getter"));
}

TEST_F(Tracing, WhoIsNotifiedWaitsForTheLockFromThenOn) {
  const Trace trace = trace_of("condition");
  const TraceThread* waiter = trace.thread("waiter");
  ASSERT_NE(waiter, nullptr);
  const auto waits = waiter->of("blocked");
  ASSERT_EQ(waits.size(), 2u);
  EXPECT_TRUE(waits[0].name.starts_with("Condition at 0x")) << waits[0].name;
  EXPECT_TRUE(waits[1].name.starts_with("RLock at 0x")) << waits[1].name;
  EXPECT_EQ(waits[0].end, waits[1].begin);
  EXPECT_TRUE(has_flow(trace, "notify", "MainThread", "waiter"));
  EXPECT_TRUE(has_flow(trace, "wake", "MainThread", "waiter"));
}

TEST_F(Tracing, JoinsAndSleepsHaveTheirLength) {
  const Trace trace = trace_of("join_and_sleep");
  // The newline is escaped, and what is no UTF-8 replaced.
  const TraceThread* sleeper = trace.thread("sleeper \"\\\n\xc3\xa9\xef\xbf\xbd");
  const TraceThread* main = trace.thread("MainThread");
  ASSERT_NE(sleeper, nullptr);
  ASSERT_NE(main, nullptr);
  const auto sleeps = sleeper->of("sleep");
  ASSERT_EQ(sleeps.size(), 1u);
  EXPECT_GE(sleeps[0].end - sleeps[0].begin, 5'000'000);
  EXPECT_EQ(sleeper->of("blocked").size(), 0u);
  ASSERT_EQ(main->of("blocked").size(), 1u);
  EXPECT_TRUE(has_flow(trace, "wake", sleeper->name, "MainThread"));
}

TEST_F(Tracing, WhatIsSaidToBeIoIsShownAsSuch) {
  const Trace trace = trace_of("io");
  const TraceThread* reader = trace.thread("reader");
  ASSERT_NE(reader, nullptr);
  ASSERT_EQ(reader->of("io").size(), 1u);
  EXPECT_EQ(reader->of("io")[0].name, "I/O");
}

TEST_F(Tracing, ShortWaitsAreShownToo) {
  const Trace trace = trace_of("turns");
  std::size_t waits = 0;
  for (const TraceThread& thread : trace.threads) waits += thread.of("blocked").size();
  // Each round has two at most; who finds its event set already does not wait.
  EXPECT_GE(waits, 1000u);
  EXPECT_EQ(trace.dropped_events, 0u);
}

TEST_F(Tracing, WhereARingIsFullTheNewestAreKeptAndTheOthersCounted) {
  setenv("TUTTI_TRACE_EVENTS", "16", 1);
  const Trace trace = trace_of("turns");
  unsetenv("TUTTI_TRACE_EVENTS");
  EXPECT_GT(trace.dropped_events, 1000u);
  const TraceThread* main = trace.thread("MainThread");
  ASSERT_NE(main, nullptr);
  EXPECT_EQ(main->of("dropped").size(), 1u);
  EXPECT_LE(main->of("blocked").size() + main->of("asleep").size(), 16u);
  // The last wait is the join.
  EXPECT_EQ(main->of("blocked").back().name, "join of other");
}

TEST_F(Tracing, OfThreadsThatHaveEndedTheNewestAreKeptAndTheOthersCounted) {
  setenv("TUTTI_TRACE_EVENTS", "32", 1);
  const Trace trace = trace_of("many_threads");
  unsetenv("TUTTI_TRACE_EVENTS");
  EXPECT_GT(trace.dropped_threads, 500u);
  EXPECT_EQ(trace.dropped_threads + trace.threads.size(), 1001u);
  EXPECT_NE(trace.thread("short-999"), nullptr);
  EXPECT_EQ(trace.thread("short-0"), nullptr);
}

TEST_F(Tracing, WaitsThatLastTillTheEndAreShownUpToThere) {
  const Trace trace = trace_of("blocked_at_the_end");
  const TraceThread* stuck = trace.thread("stuck");
  ASSERT_NE(stuck, nullptr);
  const auto waits = stuck->of("blocked");
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_EQ(waits[0].name, "empty Queue 'never filled'");
  EXPECT_EQ(waits[0].end, stuck->slices.back().end);
  ASSERT_EQ(stuck->of("asleep").size(), 1u);
  EXPECT_EQ(stuck->of("asleep")[0].end, waits[0].end);
  const TraceThread* locked_out = trace.thread("locked out");
  ASSERT_NE(locked_out, nullptr);
  ASSERT_EQ(locked_out->of("blocked").size(), 1u);
  EXPECT_EQ(locked_out->of("blocked")[0].holder, "MainThread");
}

TEST_F(Tracing, ExitWritesTheFile) {
  const Trace trace = trace_of("exit_in_thread", 3);
  ASSERT_NE(trace.thread("leaver"), nullptr);
  EXPECT_EQ(trace.thread("leaver")->marks, std::vector<std::string>{"leave"});
}

TEST_F(Tracing, AnExceptionThatNobodyCatchesWritesTheFile) {
  const Trace trace = trace_of("exception", -SIGABRT);
  ASSERT_NE(trace.thread("MainThread"), nullptr);
  EXPECT_EQ(trace.thread("MainThread")->marks, std::vector<std::string>{"throw"});
  EXPECT_NE(ended_.err.find("nobody catches this"), std::string::npos) << ended_.err;
}

TEST_F(Tracing, AForksChildWritesAFileOfItsOwn) {
  const Trace trace = trace_of("fork");
  ASSERT_NE(trace.thread("MainThread"), nullptr);
  EXPECT_EQ(trace.thread("MainThread")->marks,
            (std::vector<std::string>{"before the fork", "after the fork"}));
  EXPECT_EQ(trace.thread("grandchild"), nullptr);
  std::vector<std::string> others;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path() != file()) others.push_back(entry.path());
  }
  ASSERT_EQ(others.size(), 1u);
  EXPECT_TRUE(others[0].starts_with(file() + ".")) << others[0];
  const Trace childs = read_trace(others[0]);
  ASSERT_NE(childs.thread("MainThread"), nullptr);
  EXPECT_TRUE(childs.thread("MainThread")->marks.empty());
  ASSERT_NE(childs.thread("grandchild"), nullptr);
  EXPECT_EQ(childs.thread("grandchild")->marks, std::vector<std::string>{"in the child"});
}

TEST_F(Tracing, AProgramMayBeginAndEndItItself) {
  setenv("TRACE_FILE", file().c_str(), 1);
  EXPECT_TRUE(ended_with(run_program(PROGRAM_TRACE, {"by_call"}), 0, ""));
  const Trace trace = read_trace(file());
  EXPECT_EQ(trace.thread("early"), nullptr);
  ASSERT_NE(trace.thread("MainThread"), nullptr);
  EXPECT_EQ(trace.thread("MainThread")->marks, std::vector<std::string>{"second"});
  // It was blocked before the recording began.
  const TraceThread* late = trace.thread("late");
  ASSERT_NE(late, nullptr);
  ASSERT_EQ(late->of("blocked").size(), 1u);
  EXPECT_EQ(late->of("blocked")[0].begin, 0);
  EXPECT_TRUE(late->of("blocked")[0].name.starts_with("Event at 0x"));
  EXPECT_TRUE(has_flow(trace, "wake", "MainThread", "late"));
}

TEST_F(Tracing, IsWrittenWhileThreadsGoOn) {
  setenv("TUTTI_TRACE_EVENTS", "64", 1);
  const Trace trace = trace_of("busy_at_the_end");
  unsetenv("TUTTI_TRACE_EVENTS");
  EXPECT_EQ(trace.threads.size(), 4u);
  EXPECT_GT(trace.dropped_events, 0u);
}

#ifdef EXAMPLES
TEST_F(Tracing, ExamplesRunAsUsualAndLeaveATimeline) {
  std::istringstream programs(EXAMPLES);
  for (std::string program; std::getline(programs, program, ':');) {
    SCOPED_TRACE(program);
    const Ended plain = run_program(program, {});
    setenv("TUTTI_TRACE", file().c_str(), 1);
    const Ended traced = run_program(program, {});
    unsetenv("TUTTI_TRACE");
    EXPECT_EQ(traced.code, plain.code);
    EXPECT_EQ(traced.err, "");
    EXPECT_EQ(std::count(traced.out.begin(), traced.out.end(), '\n'),
              std::count(plain.out.begin(), plain.out.end(), '\n'));
    const Trace trace = read_trace(file());
    EXPECT_GT(trace.threads.size(), 1u);
    EXPECT_GT(trace.flows.size(), 0u);
  }
}
#endif

TEST_F(Tracing, APathThatCantBeWrittenIsReportedAtTheStart) {
  setenv("TUTTI_TRACE", "/does/not/exist/trace.json", 1);
  const Ended ended = run_program(PROGRAM_TRACE, {"queue"});
  unsetenv("TUTTI_TRACE");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err,
            "tutti: TUTTI_TRACE: can't write the timeline to '/does/not/exist/trace.json': No such "
            "file or directory; the program goes on without\n");
}

TEST_F(Tracing, AFullDiskIsReportedAtTheEnd) {
  setenv("TUTTI_TRACE", "/dev/full", 1);
  const Ended ended = run_program(PROGRAM_TRACE, {"queue"});
  unsetenv("TUTTI_TRACE");
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err, "tutti: can't write the timeline to '/dev/full': No space left on device\n");
}

TEST_F(Tracing, ANumberOfEventsThatIsNoneIsReported) {
  setenv("TUTTI_TRACE_EVENTS", "-5", 1);
  const Trace trace = trace_of("queue");
  unsetenv("TUTTI_TRACE_EVENTS");
  EXPECT_EQ(ended_.err,
            "tutti: TUTTI_TRACE_EVENTS='-5' is ignored: expected a number from 1 to 1073741824\n");
  EXPECT_EQ(trace.threads.size(), 2u);
}

TEST_F(Tracing, ThePathMayNameTheProcess) {
  setenv("TUTTI_TRACE", (folder_ / "%p.json").c_str(), 1);
  EXPECT_TRUE(ended_with(run_program(PROGRAM_TRACE, {"queue"}), 0, ""));
  unsetenv("TUTTI_TRACE");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    names.push_back(entry.path().filename());
  }
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ(names[0].find_first_not_of("0123456789"), names[0].find(".json")) << names[0];
  EXPECT_EQ(read_trace(folder_ / names[0]).threads.size(), 2u);
}

}  // namespace tests
