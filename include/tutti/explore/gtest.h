// GoogleTest inside of explore::check(): a failed EXPECT or ASSERT fails the schedule.
//
// Include it in one or more of a test program's files; there is nothing to call.
#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tutti/explore.h"

namespace tutti::inline TUTTI_ABI::explore {

/// Takes what GoogleTest's expectations report, for as long as it lives.
class ExpectationsInside : private testing::TestPartResultArray,
                           private testing::ScopedFakeTestPartResultReporter {
 public:
  ExpectationsInside() : testing::ScopedFakeTestPartResultReporter(INTERCEPT_ALL_THREADS, this) {}

 private:
  void ReportTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const std::string file = result.file_name() == nullptr ? "" : result.file_name();
    note_failure(std::string(result.message()) + "\n(" + file.substr(file.rfind('/') + 1) + ":" +
                 std::to_string(result.line_number()) + ")");
  }
};

inline const bool expectations_count = [] {
  auto inside = std::make_shared<std::unique_ptr<ExpectationsInside>>();
  set_framework({[inside] { *inside = std::make_unique<ExpectationsInside>(); },
                 [inside] { inside->reset(); }});
  return true;
}();

}  // namespace tutti::inline TUTTI_ABI::explore
