#include "runtime/trace_writer.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tests {

namespace trace = tutti::runtime::trace;
using trace::What;
using tutti::runtime::WaitKind;

std::string written(const trace::Timeline& timeline) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* file = open_memstream(&text, &size);
  trace::write(timeline, file);
  std::fclose(file);
  const std::string result(text, size);
  std::free(text);
  return result;
}

// The lines of events, without those that name things and the commas between.
std::string events_of(const trace::Timeline& timeline) {
  std::string text = written(timeline);
  std::string events;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    if (line.ends_with(",")) line.pop_back();
    if (line.starts_with("{\"ph\"") && !line.starts_with("{\"ph\": \"M\"")) events += line + "\n";
    at = end + 1;
  }
  return events;
}

trace::Timeline two_threads() {
  trace::Timeline timeline;
  timeline.program = "program";
  timeline.process = 7;
  timeline.begin = 1'000'000;
  timeline.end = 2'000'000;
  timeline.threads = {{1, 11, "one", 1'000'000, 2'000'000, {}, 0},
                      {2, 12, "two", 1'100'000, 1'900'000, {}, 0}};
  timeline.texts = {"", "accounts", "phase 2"};
  return timeline;
}

const auto* const object = reinterpret_cast<const void*>(0x1234);

TEST(TraceWriter, WritesTheWholeFile) {
  trace::Timeline timeline = two_threads();
  timeline.threads.pop_back();
  timeline.dropped_events = 3;
  timeline.dropped_threads = 1;
  EXPECT_EQ(written(timeline), R"({
"displayTimeUnit": "ns",
"otherData": {"producer": "tutti", "program": "program", "dropped_events": 3, "dropped_threads": 1},
"traceEvents": [
{"ph": "M", "pid": 7, "tid": 7, "name": "process_name", "args": {"name": "program"}},
{"ph": "M", "pid": 7, "tid": 11, "name": "thread_name", "args": {"name": "one"}},
{"ph": "M", "pid": 7, "tid": 11, "name": "thread_sort_index", "args": {"sort_index": 0}},
{"ph": "X", "pid": 7, "tid": 11, "name": "running", "cat": "running", "ts": 0.000, "dur": 1000.000}
]
}
)");
}

TEST(TraceWriter, WritesWaitsWithTheirHolderAndTheSleepInThem) {
  trace::Timeline timeline = two_threads();
  timeline.threads[0].events = {{1'200'000, 1'300'000, nullptr, What::asleep, {}, 0, 0},
                                {1'150'500, 1'300'001, object, What::wait, WaitKind::lock, 1, 2}};
  timeline.threads.pop_back();
  timeline.threads.push_back({2, 11, "reuses the number", 1'100'000, 1'100'000, {}, 0});
  EXPECT_EQ(
      events_of(timeline),
      R"({"ph": "X", "pid": 7, "tid": 11, "name": "running", "cat": "running", "ts": 0.000, "dur": 150.500}
{"ph": "X", "pid": 7, "tid": 11, "name": "Lock 'accounts'", "cat": "blocked", "ts": 150.500, "dur": 149.501, "args": {"kind": "Lock", "object": "0x1234", "holder": "reuses the number", "holder_tid": 4194305}}
{"ph": "X", "pid": 7, "tid": 11, "name": "asleep", "cat": "asleep", "ts": 200.000, "dur": 100.000}
{"ph": "X", "pid": 7, "tid": 11, "name": "running", "cat": "running", "ts": 300.001, "dur": 699.999}
)");
}

TEST(TraceWriter, SaysWhichKindOfStateItIs) {
  trace::Timeline timeline = two_threads();
  timeline.threads.pop_back();
  timeline.threads[0].events = {{1'000'000, 1'100'000, nullptr, What::wait, WaitKind::sleep, 0, 0},
                                {1'100'000, 1'200'000, object, What::wait, WaitKind::work, 0, 0},
                                {1'200'000, 1'300'000, nullptr, What::io, WaitKind::io, 0, 0},
                                {1'250'000, 1'260'000, object, What::wait, WaitKind::event, 0, 0},
                                {1'300'000, 2'000'000, object, What::wait, WaitKind::join, 0, 9},
                                {1'300'000, 1'300'000, nullptr, What::mark, {}, 2, 0}};
  EXPECT_EQ(
      events_of(timeline),
      R"({"ph": "X", "pid": 7, "tid": 11, "name": "sleep", "cat": "sleep", "ts": 0.000, "dur": 100.000, "args": {"kind": "sleep"}}
{"ph": "X", "pid": 7, "tid": 11, "name": "work for ThreadPoolExecutor at 0x1234", "cat": "idle", "ts": 100.000, "dur": 100.000, "args": {"kind": "work for ThreadPoolExecutor", "object": "0x1234"}}
{"ph": "X", "pid": 7, "tid": 11, "name": "I/O", "cat": "io", "ts": 200.000, "dur": 100.000}
{"ph": "X", "pid": 7, "tid": 11, "name": "Event at 0x1234", "cat": "blocked", "ts": 250.000, "dur": 10.000, "args": {"kind": "Event", "object": "0x1234"}}
{"ph": "X", "pid": 7, "tid": 11, "name": "join of a thread", "cat": "blocked", "ts": 300.000, "dur": 700.000, "args": {"kind": "join", "object": "0x1234"}}
{"ph": "i", "pid": 7, "tid": 11, "name": "phase 2", "cat": "mark", "s": "t", "ts": 300.000}
)");
}

TEST(TraceWriter, CutsWhatLiesOutsideOfTheRecording) {
  trace::Timeline timeline = two_threads();
  timeline.threads.pop_back();
  timeline.threads[0].events = {{500'000, 600'000, object, What::wait, WaitKind::event, 0, 0},
                                {900'000, 1'100'000, object, What::wait, WaitKind::event, 1, 0},
                                {1'900'000, 2'500'000, object, What::wait, WaitKind::event, 9, 0}};
  EXPECT_EQ(
      events_of(timeline),
      R"({"ph": "X", "pid": 7, "tid": 11, "name": "Event at 0x1234", "cat": "blocked", "ts": 0.000, "dur": 100.000, "args": {"kind": "Event", "object": "0x1234"}}
{"ph": "X", "pid": 7, "tid": 11, "name": "running", "cat": "running", "ts": 100.000, "dur": 800.000}
{"ph": "X", "pid": 7, "tid": 11, "name": "Event at 0x1234", "cat": "blocked", "ts": 900.000, "dur": 100.000, "args": {"kind": "Event", "object": "0x1234"}}
)");
}

TEST(TraceWriter, DrawsAWakeToTheEndOfTheSleepThatItEnds) {
  trace::Timeline timeline = two_threads();
  timeline.threads[0].events = {
      {1'500'000, 1'500'000, object, What::handed_over, WaitKind::lock, 0, 2},
      {1'500'000, 1'500'000, nullptr, What::woke, {}, 0, 2},
      // Nobody of that id is known; and after its end.
      {1'600'000, 1'600'000, nullptr, What::woke, {}, 0, 5},
      {1'950'000, 1'950'000, nullptr, What::woke, {}, 0, 2}};
  timeline.threads[1].events = {{1'200'000, 1'550'000, nullptr, What::asleep, {}, 0, 0},
                                {1'100'000, 1'560'000, object, What::wait, WaitKind::lock, 0, 1}};
  const std::string text = events_of(timeline);
  EXPECT_EQ(
      text.substr(text.find("{\"ph\": \"s\"")),
      R"({"ph": "s", "pid": 7, "tid": 11, "name": "hand-over", "cat": "flow", "id": 1, "ts": 500.000}
{"ph": "f", "pid": 7, "tid": 12, "name": "hand-over", "bp": "e", "cat": "flow", "id": 1, "ts": 549.999}
)");
}

TEST(TraceWriter, CutsAWaitInTwoWhereSomebodyHasChangedWhatItIsFor) {
  trace::Timeline timeline = two_threads();
  timeline.threads[0].events = {{1'400'000, 1'400'000, object, What::moved, WaitKind::lock, 1, 2}};
  timeline.threads[1].events = {
      {1'150'000, 1'500'000, nullptr, What::asleep, {}, 0, 0},
      {1'100'000, 1'500'000, nullptr, What::wait, WaitKind::condition, 0, 0},
      // Nobody has changed this one.
      {1'600'000, 1'900'000, nullptr, What::wait, WaitKind::condition, 0, 0}};
  const std::string text = events_of(timeline);
  EXPECT_EQ(
      text.substr(text.find('\n') + 1),
      R"({"ph": "X", "pid": 7, "tid": 12, "name": "Condition", "cat": "blocked", "ts": 100.000, "dur": 300.000, "args": {"kind": "Condition"}}
{"ph": "X", "pid": 7, "tid": 12, "name": "asleep", "cat": "asleep", "ts": 150.000, "dur": 250.000}
{"ph": "X", "pid": 7, "tid": 12, "name": "Lock 'accounts'", "cat": "blocked", "ts": 400.000, "dur": 100.000, "args": {"kind": "Lock", "object": "0x1234"}}
{"ph": "X", "pid": 7, "tid": 12, "name": "asleep", "cat": "asleep", "ts": 400.000, "dur": 100.000}
{"ph": "X", "pid": 7, "tid": 12, "name": "running", "cat": "running", "ts": 500.000, "dur": 100.000}
{"ph": "X", "pid": 7, "tid": 12, "name": "Condition", "cat": "blocked", "ts": 600.000, "dur": 300.000, "args": {"kind": "Condition"}}
{"ph": "s", "pid": 7, "tid": 11, "name": "notify", "cat": "flow", "id": 1, "ts": 400.000}
{"ph": "f", "pid": 7, "tid": 12, "name": "notify", "bp": "e", "cat": "flow", "id": 1, "ts": 400.000}
)");
}

TEST(TraceWriter, SaysWhatWasDropped) {
  trace::Timeline timeline = two_threads();
  timeline.threads.pop_back();
  timeline.threads[0].dropped = 42;
  timeline.threads[0].events = {{1'500'000, 2'000'000, object, What::wait, WaitKind::event, 0, 0}};
  const std::string text = events_of(timeline);
  EXPECT_EQ(
      text.substr(0, text.find('\n')),
      R"({"ph": "X", "pid": 7, "tid": 11, "name": "not recorded", "cat": "dropped", "ts": 0.000, "dur": 500.000, "args": {"events": 42}})");
}

TEST(TraceWriter, QuotesEveryText) {
  EXPECT_EQ(trace::quoted(""), "\"\"");
  EXPECT_EQ(trace::quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_EQ(trace::quoted("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xbb"),
            "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xbb\"");
}

TEST(TraceWriter, ReplacesWhatIsNoUtf8) {
  // A sequence that was cut, one that goes on wrongly, bytes that begin none, a surrogate, what is
  // longer than need be, and what is beyond the last character.
  EXPECT_EQ(trace::quoted("a\xe2\x82"), "\"a\\ufffd\\ufffd\"");
  EXPECT_EQ(trace::quoted("\xc3z"), "\"\\ufffdz\"");
  EXPECT_EQ(trace::quoted("\xff\x80"), "\"\\ufffd\\ufffd\"");
  EXPECT_EQ(trace::quoted("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
  EXPECT_EQ(trace::quoted("\xc0\x80"), "\"\\ufffd\\ufffd\"");
  EXPECT_EQ(trace::quoted("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

}  // namespace tests
