// The suites of behaviour, on the exploring floor: each test once in each of some schedules drawn
// at random, switched at every word of the primitives.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tutti/explore.h"
#include "tutti/explore/gtest.h"

namespace {

using namespace tutti;

std::vector<std::string> all_tests() {
  std::vector<std::string> names;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string name = suite.GetTestInfo(j)->name();
      // Watched words are larger.
      if (name.ends_with("ReadyBeforeMain")) continue;
      names.push_back(std::string(suite.name()) + "." + name);
    }
  }
  return names;
}

bool passes(const std::string& name, std::uint64_t schedules) {
  testing::GTEST_FLAG(filter) = name;
  const explore::Result result = explore::check(
      [] {
        if (RUN_ALL_TESTS() != 0) explore::note_failure("the test failed");
      },
      {.name = name,
       .strategy = explore::Strategy::random,
       .schedules = schedules,
       .steps = 2'000'000,
       .grain = explore::Grain::word});
  if (!result) std::printf("FAILED: %s\n", name.c_str());
  return static_cast<bool>(result);
}

}  // namespace

// explore_suites [SCHEDULES [NAME]]: all tests, or the one of that name.
int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  const std::uint64_t schedules = count > 1 ? std::stoull(arguments[1]) : 20;
  const std::vector<std::string> names =
      count > 2 ? std::vector<std::string>{arguments[2]} : all_tests();
  // It would tell of each test in each schedule.
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  std::size_t failed = 0;
  for (const std::string& name : names) {
    if (!passes(name, schedules)) ++failed;
  }
  std::printf("%zu tests in %llu schedules each: %zu failed\n", names.size(),
              static_cast<unsigned long long>(schedules), failed);
  return failed == 0 && !names.empty() ? 0 : 1;
}
