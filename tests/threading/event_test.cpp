// threading::Event: the suite.
#include "tutti/threading/event.h"

#include <gtest/gtest.h>

#include "suites/event_suite.h"

namespace tests {

using Flavours = testing::Types<Threads>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, Event, Flavours, CaseName);

TEST(EventOfThreads, FitsInFourBytesAndIsReadyBeforeMain) {
  EXPECT_EQ(sizeof(tutti::threading::Event), 4u);
  static constinit tutti::threading::Event event;
  event.set();
  EXPECT_TRUE(event.wait(0));
  event.clear();
}

}  // namespace tests
