// tutti's own primitives, explored word by word.
#include "explore/proofs/proofs.h"

#include <tutti/explore/gtest.h>

#include <algorithm>

#include "support/sanitizer.h"

namespace tests {

using namespace tutti;

class Proofs : public testing::TestWithParam<Proof> {};

TEST_P(Proofs, HoldsUnderEverySchedule) {
  explore::Options options = GetParam().options;
  options.name = GetParam().name;
  // That all schedules keep the promise is shown without it. Here, memory errors are looked for.
  if (under_address_sanitizer) {
    options.strategy = explore::Strategy::random;
    options.preemptions.reset();
    options.schedules = std::min<std::uint64_t>(options.schedules, 2'000);
  }
  const explore::Result result = explore::check(GetParam().body, options);
  EXPECT_TRUE(result) << result;
  EXPECT_TRUE(result.exhausted || result.schedules == options.schedules) << result;
  RecordProperty("schedules", std::to_string(result.schedules));
  std::printf("%s\n", result.to_string().c_str());
}

INSTANTIATE_TEST_SUITE_P(Threading, Proofs, testing::ValuesIn(proofs()),
                         [](const testing::TestParamInfo<Proof>& which) {
                           std::string name;
                           bool begins = true;
                           for (const char c : which.param.name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
                               begins = true;
                             } else {
                               name += begins ? static_cast<char>(std::toupper(c)) : c;
                               begins = false;
                             }
                           }
                           return name;
                         });

}  // namespace tests
