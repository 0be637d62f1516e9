// What can't cross is refused by the compiler, which names the type and the number of the member.
#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <iostream>
#include <string>
#include <utility>

#include "support/run_program.h"

namespace {

/// The compilers quote and space differently.
std::string plain(std::string text) {
  std::erase(text, ' ');
  return text;
}

/// What stands between the mention of `what` and that of the next one.
std::string said_of(const std::string& errors, const std::string& what) {
  const std::size_t at = errors.find(plain(what));
  if (at == std::string::npos) return "";
  return errors.substr(at, errors.find("structtutti::", at) - at);
}

TEST(Refused, ByTheCompilerWithTypeAndMember) {
  const std::string root = TUTTI_SOURCE_DIR;
  const tests::Ended compiled =
      tests::run_program("/usr/bin/c++",
                         {"-std=c++20", "-fsyntax-only", "-I" + root + "/include",
                          root + "/tests/pickle/refused/cannot_cross.cpp"},
                         {"LC_ALL=C"});
  EXPECT_NE(compiled.code, 0);
  const std::string errors = plain(compiled.err);
  for (const auto& [what, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"CannotCross<WithPointer, 3, const char*>", "a pointer can't cross"},
           {"CannotCross<WithReference, 1, int&>", "a reference can't cross"},
           {"CannotCross<WithView, 2, std::basic_string_view<char>", "a view can't cross"},
           {"CannotCross<WithFunction, 1, std::function<void()>", "its members can't be seen"},
           {"CannotCross<WithFunction, 2, void (*)(int)>", "a function or lambda can't cross"},
           {"CannotCross<WithOwner, 1, std::unique_ptr<int>", "a pointer can't cross"},
           {"CannotCross<std::span<int>, 0, std::span<int>", "a view can't cross"},
           {"CannotCross<WithLock, 1, std::mutex>", "its members can't be seen"},
           {"must_have_form() [with T = Private]", "this type has no form in Python"}}) {
    EXPECT_NE(said_of(errors, what).find(plain(why)), std::string::npos) << what;
  }
  if (testing::Test::HasFailure()) std::cout << compiled.err;
  // And nothing else: what follows from an error would hide it.
  const auto count = [&](const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = errors.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_EQ(count("error:"), 9u);
}

}  // namespace
