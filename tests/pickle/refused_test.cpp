// What can't cross is refused by the compiler, which names the type and the number of the member.
#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

#include "support/compiler_errors.h"

namespace tests {

TEST(Refused, ByTheCompilerWithTypeAndMember) {
  const CompilerErrors errors("pickle/refused/cannot_cross.cpp");
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
    EXPECT_TRUE(errors.say(what, why));
  }
  // And nothing else: what follows from an error would hide it.
  EXPECT_EQ(errors.count(), 9u);
}

}  // namespace tests
