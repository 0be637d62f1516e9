// tutti trace report: reading, summing up, and the page's text.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "support/run_program.h"
#include "trace/page.h"
#include "trace/summary.h"
#include "trace/timeline.h"

namespace tests {

namespace fs = std::filesystem;

class TraceReport : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "tutti-report-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& text) const {
    std::ofstream(folder_ / "trace.json") << text;
    return folder_ / "trace.json";
  }

  // A whole file with these events.
  fs::path write_events(const std::string& events) const {
    return write(
        R"({"otherData": {"producer": "tutti", "program": "p", "dropped_events": 7, "dropped_threads": 1}, "traceEvents": [)" +
        events + "]}");
  }

  // The message without the name of the file.
  std::string error_of(const fs::path& file) const {
    try {
      trace::read(file);
    } catch (const std::runtime_error& error) {
      const std::string text = error.what();
      const std::string prefix = file.string() + ": ";
      EXPECT_TRUE(text.starts_with(prefix)) << text;
      return text.substr(std::min(prefix.size(), text.size()));
    }
    return "no error";
  }

  fs::path folder_;
};

const std::string two_threads = R"(
{"ph": "M", "pid": 1, "tid": 1, "name": "process_name", "args": {"name": "p"}},
{"ph": "M", "pid": 1, "tid": 1, "name": "thread_name", "args": {"name": "main <b>"}},
{"ph": "M", "pid": 1, "tid": 2, "name": "thread_name", "args": {"name": "other"}},
{"ph": "X", "tid": 1, "name": "running", "cat": "running", "ts": 0, "dur": 10},
{"ph": "X", "tid": 1, "name": "Lock 'a'", "cat": "blocked", "ts": 10, "dur": 30.5, "args": {"object": "0x1", "holder": "other", "holder_tid": 2}},
{"ph": "X", "tid": 1, "name": "asleep", "cat": "asleep", "ts": 15, "dur": 20},
{"ph": "X", "tid": 1, "name": "Lock 'a'", "cat": "blocked", "ts": 40.5, "dur": 4, "args": {"object": "0x2"}},
{"ph": "X", "tid": 1, "name": "running", "cat": "running", "ts": 44.5, "dur": 5.5},
{"ph": "i", "tid": 1, "name": "</script>", "cat": "mark", "s": "t", "ts": 3},
{"ph": "X", "tid": 2, "name": "I/O", "cat": "io", "ts": 5, "dur": 35},
{"ph": "X", "tid": 2, "name": "Lock 'a'", "cat": "blocked", "ts": 6, "dur": 2, "args": {"object": "0x1"}},
{"ph": "s", "tid": 2, "name": "hand-over", "cat": "flow", "id": 1, "ts": 35},
{"ph": "f", "tid": 1, "name": "hand-over", "bp": "e", "cat": "flow", "id": 1, "ts": 40.499})";

TEST_F(TraceReport, ReadsWhatIsInTheFile) {
  const trace::Timeline timeline = trace::read(write_events(two_threads));
  EXPECT_EQ(timeline.program, "p");
  EXPECT_EQ(timeline.dropped_events, 7u);
  EXPECT_EQ(timeline.dropped_threads, 1u);
  EXPECT_EQ(timeline.length(), 50'000);
  ASSERT_EQ(timeline.threads.size(), 2u);
  const trace::Thread& main = timeline.threads[0];
  EXPECT_EQ(main.name, "main <b>");
  EXPECT_EQ(main.number, 1);
  ASSERT_EQ(main.slices.size(), 4u);
  EXPECT_EQ(main.slices[1].begin, 10'000);
  EXPECT_EQ(main.slices[1].end, 40'500);
  EXPECT_EQ(main.slices[1].state, trace::State::blocked);
  EXPECT_EQ(main.slices[1].holder, 1u);
  EXPECT_EQ(main.slices[2].holder, trace::Slice::nobody);
  EXPECT_EQ(timeline.subjects[main.slices[1].subject], (trace::Subject{"Lock 'a'", "0x1"}));
  EXPECT_NE(main.slices[1].subject, main.slices[2].subject);
  ASSERT_EQ(main.inner.size(), 1u);
  EXPECT_EQ(main.inner[0].state, trace::State::asleep);
  ASSERT_EQ(main.marks.size(), 1u);
  EXPECT_EQ(main.marks[0].when, 3000);
  // Waits in I/O lie inside of it.
  ASSERT_EQ(timeline.threads[1].slices.size(), 1u);
  ASSERT_EQ(timeline.threads[1].inner.size(), 1u);
  ASSERT_EQ(timeline.flows.size(), 1u);
  EXPECT_EQ(timeline.flows[0].name, "hand-over");
  EXPECT_EQ(timeline.flows[0].from, 1u);
  EXPECT_EQ(timeline.flows[0].to, 0u);
  EXPECT_EQ(timeline.flows[0].arrived, 40'499);
}

TEST_F(TraceReport, SumsUpWhatBlockedWhomForHowLong) {
  const trace::Timeline timeline = trace::read(write_events(two_threads));
  const trace::Summary summary = trace::summarize(timeline, 2);
  ASSERT_EQ(summary.blocked_by.size(), 2u);
  const trace::BlockedBy& first = summary.blocked_by[0];
  EXPECT_EQ(timeline.subjects[first.subject].object, "0x1");
  EXPECT_EQ(first.total, 32'500);
  EXPECT_EQ(first.count, 2u);
  EXPECT_EQ(first.longest, 30'500);
  EXPECT_EQ(first.by_thread,
            (std::vector<std::pair<std::size_t, std::int64_t>>{{0, 30'500}, {1, 2000}}));
  EXPECT_EQ(summary.blocked_by[1].total, 4000);
  ASSERT_EQ(summary.longest.size(), 2u);
  EXPECT_EQ(summary.longest[0].slice.length(), 30'500);
  EXPECT_EQ(summary.longest[1].slice.length(), 4000);
  const auto in = [&](std::size_t thread, trace::State state) {
    return summary.threads[thread].in_state[static_cast<std::size_t>(state)];
  };
  EXPECT_EQ(in(0, trace::State::running), 15'500);
  EXPECT_EQ(in(0, trace::State::blocked), 34'500);
  EXPECT_EQ(in(0, trace::State::asleep), 20'000);
  EXPECT_EQ(summary.threads[0].waits, 2u);
  EXPECT_EQ(in(1, trace::State::io), 35'000);
  EXPECT_EQ(summary.threads[1].waits, 1u);
}

TEST_F(TraceReport, ThePageHoldsTheTablesAndNoForeignMarkup) {
  const trace::Timeline timeline = trace::read(write_events(two_threads));
  const std::string page = trace::page(timeline, trace::summarize(timeline, 10));
  EXPECT_NE(page.find(">Lock 'a'</button>"), std::string::npos);
  EXPECT_NE(page.find("main &lt;b&gt; 30.5 µs, other 2.00 µs"), std::string::npos);
  EXPECT_NE(page.find("7 older events and 1 threads that had ended were dropped"),
            std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  // The mark's text does not end the script's element; there are two of those.
  std::size_t ends = 0;
  for (std::size_t at = 0; (at = page.find("</script>", at)) != std::string::npos; ++at) ++ends;
  EXPECT_EQ(ends, 2u);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find('@' + std::string("TABLES@")), std::string::npos);
}

TEST_F(TraceReport, ATimelineWithoutEventsHasAPage) {
  const trace::Timeline timeline = trace::read(write_events(""));
  const std::string page = trace::page(timeline, trace::summarize(timeline, 10));
  EXPECT_NE(page.find("No thread was blocked."), std::string::npos);
}

TEST_F(TraceReport, TimesHaveThreeFiguresAndAUnit) {
  EXPECT_EQ(trace::readable_time(0), "0 ns");
  EXPECT_EQ(trace::readable_time(999), "999 ns");
  EXPECT_EQ(trace::readable_time(1000), "1.00 µs");
  EXPECT_EQ(trace::readable_time(99'960), "100 µs");
  EXPECT_EQ(trace::readable_time(999'600), "1.00 ms");
  EXPECT_EQ(trace::readable_time(12'345'678), "12.3 ms");
  EXPECT_EQ(trace::readable_time(3'600'000'000'000), "3600 s");
}

TEST_F(TraceReport, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(error_of(folder_ / "none.json"), "can't be read");
  EXPECT_EQ(error_of(folder_), "can't be read");
  EXPECT_EQ(error_of(write("")),
            "is empty: its program is still running, or was ended before it could write");
  const std::string whole = [this] {
    std::ifstream file(write_events(two_threads));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  EXPECT_EQ(error_of(write(whole.substr(0, whole.size() / 2))).substr(0, 24),
            "is no JSON: parse error ");
  const std::string foreign =
      "is no timeline of tutti's: there is no \"producer\": \"tutti\" in its \"otherData\"";
  EXPECT_EQ(error_of(write("[]")), foreign);
  EXPECT_EQ(error_of(write("{\"traceEvents\": []}")), foreign);
  EXPECT_EQ(error_of(write("{\"otherData\": {\"producer\": \"tutti\"}}")), foreign);
  EXPECT_EQ(error_of(write(R"({"traceEvents": [{"ph": "B"}], "otherData": {"producer": 3}})")),
            foreign);
}

TEST_F(TraceReport, SaysWhichEventIsWrong) {
  const auto error = [this](const std::string& event) {
    return error_of(write_events(two_threads + ", " + event));
  };
  EXPECT_EQ(error("17"), "event 14 is no object");
  EXPECT_EQ(error("[{}]"), "event 14 is no object");
  EXPECT_EQ(error("{}"), "event 14 has no \"ph\"");
  EXPECT_EQ(error(R"({"ph": 1})"), "event 14 \"ph\" is no text");
  EXPECT_EQ(error(R"({"ph": "B"})"), "event 14 \"ph\" is \"B\", which no timeline of tutti's has");
  EXPECT_EQ(error(R"({"ph": "X", "cat": "happy", "name": ""})"),
            "event 14 \"cat\" is \"happy\", which is no state");
  EXPECT_EQ(error(R"({"ph": "X", "cat": "running", "name": "", "tid": 1.5})"),
            "event 14 \"tid\" is no whole number");
  EXPECT_EQ(error(R"({"ph": "X", "cat": "running", "name": "", "tid": 1, "ts": "0"})"),
            "event 14 \"ts\" is no number");
  EXPECT_EQ(error(R"({"ph": "X", "cat": "running", "name": "", "tid": 1, "ts": 60, "dur": -1})"),
            "event 14 \"dur\" is -1, which is no time");
  EXPECT_EQ(error(R"({"ph": "X", "cat": "running", "name": "", "tid": 1, "ts": 49, "dur": 5})"),
            "slices of thread 1 overlap at 49 us");
  EXPECT_EQ(error(R"({"ph": "s", "tid": 1, "id": 1, "name": "wake", "ts": 1})"),
            "event 14 is the second of the same kind of flow 1");
  EXPECT_EQ(error(R"({"ph": "s", "tid": 1, "id": 2, "name": "wake", "ts": 1})"),
            "flow 2 has one end only");
}

// --- the command ---------------------------------------------------------------------------------

TEST_F(TraceReport, TheCommandWritesThePageBesideTheFile) {
  const Ended ended = run_program(TUTTI_COMMAND, {"trace", "report", write_events(two_threads)});
  EXPECT_TRUE(ended_with(ended, 0,
                         "p: 50.0 µs, 2 threads\n"
                         "dropped for want of room: 7 events, 1 thread (see TUTTI_TRACE_EVENTS)\n"
                         "\n"
                         "     total    waits    longest  blocked by\n"
                         "   32.5 µs        2    30.5 µs  Lock 'a'\n"
                         "   4.00 µs        1    4.00 µs  Lock 'a'\n"
                         "\n"
                         "page: " +
                             (folder_ / "trace.html").string() + "\n"));
  EXPECT_TRUE(fs::exists(folder_ / "trace.html"));
}

TEST_F(TraceReport, TheCommandLeavesTheFileThatIsNamedInTheEnvironment) {
  const std::string file = write_events(two_threads);
  const auto size = fs::file_size(file);
  EXPECT_EQ(run_program(TUTTI_COMMAND, {"trace", "report", file}, {"TUTTI_TRACE=" + file}).code, 0);
  EXPECT_EQ(fs::file_size(file), size);
}

TEST_F(TraceReport, TheCommandWritesThePageWhereItIsTold) {
  const fs::path page = folder_ / "page of its own.htm";
  const Ended ended =
      run_program(TUTTI_COMMAND, {"trace", "report", write_events(two_threads), "-o", page});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(fs::exists(page));
}

TEST_F(TraceReport, TheCommandReportsWhatItCantUse) {
  const std::string file = write("no JSON");
  Ended ended = run_program(TUTTI_COMMAND, {"trace", "report", file});
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(ended.err.starts_with("tutti: " + file + ": is no JSON: ")) << ended.err;
  EXPECT_FALSE(fs::exists(folder_ / "trace.html"));
  write_events(two_threads);
  ended = run_program(TUTTI_COMMAND, {"trace", "report", file, "-o", "/does/not/exist/page.html"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "tutti: /does/not/exist/page.html: can't be written\n");
  ended = run_program(TUTTI_COMMAND, {"trace", "report", file, "-o", file});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "tutti: " + file + ": the page would take the place of the timeline\n");
}

}  // namespace tests
