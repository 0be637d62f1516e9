#include "support/compiler_errors.h"

#include "support/run_program.h"

namespace tests {

namespace {

/// Compilers space differently.
std::string plain(std::string text) {
  std::erase(text, ' ');
  return text;
}

}  // namespace

CompilerErrors::CompilerErrors(const std::string& file) {
  const std::string root = TUTTI_SOURCE_DIR;
  const Ended compiled = run_program(
      "/usr/bin/c++",
      {"-std=c++20", "-fsyntax-only", "-I" + root + "/include", root + "/tests/" + file},
      {"LC_ALL=C"});
  if (compiled.code != 0) told_ = compiled.err;
  plain_ = plain(told_);
}

testing::AssertionResult CompilerErrors::say(const std::string& what,
                                             const std::string& why) const {
  const std::size_t mention = plain_.find(plain(what));
  const std::size_t error = plain_.find("error:", mention);
  if (mention == plain_.npos || error == plain_.npos) {
    return testing::AssertionFailure() << "no error about " << what << " in:\n" << told_;
  }
  const std::string said = plain_.substr(error, plain_.find('\n', error) - error);
  if (said.find(plain(why)) != said.npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "about " << what << ": " << said << "\nin:\n" << told_;
}

std::size_t CompilerErrors::count() const {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = plain_.find("error:", at)) != plain_.npos; ++at) ++found;
  return found;
}

}  // namespace tests
