// Tests that run for each start method.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "multiprocessing/fork_server.h"
#include "support/sanitizer.h"
#include "tutti/multiprocessing/context.h"

namespace tests {

/// A fixture of tests for whose parameter the program starts its children.
class ForEachStartMethod : public testing::TestWithParam<tutti::multiprocessing::StartMethod> {
 protected:
  void SetUp() override {
    if (under_thread_sanitizer && GetParam() == tutti::multiprocessing::StartMethod::fork) {
      GTEST_SKIP() << "it can't fork with threads";
    }
  }
  // The fork server lives as long as its program otherwise.
  void TearDown() override { tutti::multiprocessing::fork_server::stop(); }

  tutti::multiprocessing::Context context() const {
    return tutti::multiprocessing::Context(GetParam());
  }
};

/// For INSTANTIATE_TEST_SUITE_P.
inline auto all_start_methods() {
  using tutti::multiprocessing::StartMethod;
  return testing::Values(StartMethod::fork, StartMethod::spawn, StartMethod::forkserver);
}
inline std::string name_of_start_method(
    const testing::TestParamInfo<tutti::multiprocessing::StartMethod>& method) {
  return to_string(method.param);
}

}  // namespace tests
