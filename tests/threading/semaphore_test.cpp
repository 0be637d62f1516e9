// threading::Semaphore and BoundedSemaphore: the suite for both.
#include "tutti/threading/semaphore.h"

#include <gtest/gtest.h>

#include "suites/semaphore_suite.h"

namespace tests {

template <typename Flavour>
struct SemaphoreIn : CaseIn<Flavour> {
  using Semaphore = typename Flavour::Semaphore;
  static constexpr const char* name = "Semaphore";
};
template <typename Flavour>
struct BoundedSemaphoreIn : CaseIn<Flavour> {
  using Semaphore = typename Flavour::BoundedSemaphore;
  static constexpr const char* name = "BoundedSemaphore";
};

using SemaphoreCases = testing::Types<SemaphoreIn<Threads>, BoundedSemaphoreIn<Threads>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, AnySemaphore, SemaphoreCases, CaseName);
using Flavours = testing::Types<Threads>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, SemaphoreLimit, Flavours, CaseName);

TEST(SemaphoreOfThreads, IsSmallAndReadyBeforeMain) {
  EXPECT_EQ(sizeof(tutti::threading::Semaphore), 4u);
  static constinit tutti::threading::Semaphore semaphore(2);
  EXPECT_TRUE(semaphore.acquire(false));
  semaphore.release();
}

}  // namespace tests
