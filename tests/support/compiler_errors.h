// What the compiler says to programs that must not compile.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace tests {

class CompilerErrors {
 public:
  /// Of `file`, a path from tests/ on, which is compiled here and now; none if it does compile.
  explicit CompilerErrors(const std::string& file);

  /// Whether the first error after the first mention of `what` says `why`.
  testing::AssertionResult say(const std::string& what, const std::string& why) const;
  std::size_t count() const;

 private:
  std::string told_;
  /// The same without spaces.
  std::string plain_;
};

}  // namespace tests
