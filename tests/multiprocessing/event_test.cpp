// multiprocessing::Event: the suite, and setters that are killed.
#include "tutti/multiprocessing/event.h"

#include <gtest/gtest.h>

#include "multiprocessing/flavours.h"
#include "suites/event_suite.h"
#include "support/stepped.h"

namespace tests {

using SharedEvents = testing::Types<AmongThreads, AmongProcesses>;
INSTANTIATE_TYPED_TEST_SUITE_P(Multiprocessing, Event, SharedEvents, CaseName);

TEST(MultiprocessingEvent, ReleasesWhoWaitsOrIsStillClearWhenItsSetterIsKilled) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  for_each_cut(2, [](std::size_t steps) {
    tutti::multiprocessing::Event event;
    event.set();
    event.clear();
    ProcessWorker waiter([&] { event.wait(); });
    until([&] { return waiter.phase() == Phase::blocked_in_wait_pool; });
    const Cut cut = cut_short([] {}, [&] { event.set(); }, steps);
    if (!event.is_set()) event.set();
    waiter.join();
    return cut;
  });
}

}  // namespace tests
