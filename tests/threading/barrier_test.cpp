// threading::Barrier: the suite.
#include "tutti/threading/barrier.h"

#include <gtest/gtest.h>

#include "suites/barrier_suite.h"

namespace tests {

using Flavours = testing::Types<Threads>;
INSTANTIATE_TYPED_TEST_SUITE_P(Threading, Barrier, Flavours, CaseName);

}  // namespace tests
