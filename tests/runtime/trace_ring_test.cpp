#include "runtime/trace_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/sanitizer.h"

namespace tests {

namespace trace = tutti::runtime::trace;

trace::Event numbered(std::int64_t number) {
  return {number,
          2 * number,
          nullptr,
          trace::What::mark,
          {},
          static_cast<std::uint16_t>(number),
          static_cast<std::uint32_t>(3 * number)};
}

TEST(TraceRing, GivesBackWhatWasAdded) {
  trace::Ring ring(8);
  const int object = 0;
  ring.add({-5, INT64_MAX, &object, trace::What::moved, tutti::runtime::WaitKind::work, 0xffff,
            0xffffffff});
  const trace::Ring::Content content = ring.read(0);
  ASSERT_EQ(content.events.size(), 1u);
  const trace::Event& event = content.events[0];
  EXPECT_EQ(event.begin, -5);
  EXPECT_EQ(event.end, INT64_MAX);
  EXPECT_EQ(event.object, &object);
  EXPECT_EQ(event.what, trace::What::moved);
  EXPECT_EQ(event.kind, tutti::runtime::WaitKind::work);
  EXPECT_EQ(event.text, 0xffff);
  EXPECT_EQ(event.thread, 0xffffffff);
  EXPECT_EQ(content.dropped, 0u);
}

TEST(TraceRing, KeepsTheNewestAndCountsTheOthers) {
  trace::Ring ring(3);
  for (int i = 0; i < 10; ++i) ring.add(numbered(i));
  trace::Ring::Content content = ring.read(0);
  ASSERT_EQ(content.events.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(content.events[static_cast<std::size_t>(i)].begin, 7 + i);
  }
  EXPECT_EQ(content.dropped, 7u);
  content = ring.read(5);
  EXPECT_EQ(content.events.size(), 3u);
  EXPECT_EQ(content.dropped, 2u);
  content = ring.read(9);
  EXPECT_EQ(content.events.size(), 1u);
  EXPECT_EQ(content.dropped, 0u);
  content = ring.read(10);
  EXPECT_TRUE(content.events.empty());
  EXPECT_EQ(content.dropped, 0u);
}

TEST(TraceRing, GivesWholeEventsOnlyWhileItIsWrittenTo) {
  trace::Ring ring(64);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::int64_t i = 0; !stop; ++i) ring.add(numbered(i));
  });
  while (ring.count() < 64) std::this_thread::yield();
  for (int reads = 0; reads < 2000; ++reads) {
    const trace::Ring::Content content = ring.read(0);
    std::int64_t next = static_cast<std::int64_t>(content.dropped);
    for (const trace::Event& event : content.events) {
      ASSERT_EQ(event.begin, next);
      ASSERT_EQ(event.end, 2 * next);
      ASSERT_EQ(event.thread, static_cast<std::uint32_t>(3 * next));
      ++next;
    }
  }
  stop = true;
  writer.join();
}

TEST(TraceRing, TellsWhatAThreadIsInTheMiddleOf) {
  trace::Unfinished wait;
  EXPECT_FALSE(wait.read());
  wait.begin(numbered(5));
  ASSERT_TRUE(wait.read());
  EXPECT_EQ(wait.read()->thread, 15u);
  wait.end();
  EXPECT_FALSE(wait.read());
}

TEST(TraceRing, TellsNothingOfTwoWaitsAtOnce) {
  trace::Unfinished wait;
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::int64_t i = 1; !stop; ++i) {
      wait.begin(numbered(i));
      wait.end();
    }
  });
  int found = 0;
  while (found < 2000) {
    const std::optional<trace::Event> event = wait.read();
    if (!event) continue;
    ++found;
    ASSERT_EQ(event->end, 2 * event->begin);
    ASSERT_EQ(event->thread, static_cast<std::uint32_t>(3 * event->begin));
  }
  stop = true;
  writer.join();
}

TEST(TraceRing, WithoutMemoryDropsAll) {
  if (under_address_sanitizer || under_thread_sanitizer) {
    GTEST_SKIP() << "sanitizers end a program that asks for too much memory";
  }
  trace::Ring ring(SIZE_MAX / 2);
  ring.add(numbered(1));
  const trace::Ring::Content content = ring.read(0);
  EXPECT_TRUE(content.events.empty());
  EXPECT_EQ(content.dropped, 1u);
}

}  // namespace tests
