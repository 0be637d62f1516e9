// Running a helper program from a test, with everything it prints.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tests {

struct Ended {
  /// The exit code, or minus the number of the signal that ended it.
  int code = 0;
  /// It did not end within a minute, and was killed.
  bool hung = false;
  std::string out;
  std::string err;
};

/// Runs `program`, waits for its end and that of all who share its output, and returns what came.
/// `variables`, each "NAME=value", are added to its environment.
Ended run_program(const std::string& program, const std::vector<std::string>& arguments,
                  const std::vector<std::string>& variables = {});

/// Whether it ended with `code`, and printed exactly `out` and nothing to stderr.
testing::AssertionResult ended_with(const Ended& ended, int code, const std::string& out);

}  // namespace tests
