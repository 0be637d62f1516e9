// What a pool of processes can't be given as a task is refused by the compiler.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "support/compiler_errors.h"

namespace tests {

TEST(Refused, TasksOfWhichACaptureArgumentOrResultCannotBeSent) {
  const CompilerErrors errors("multiprocessing/refused/cannot_be_tasks.cpp");
  const char* const is_closure = "a closure with captures can't be given to a pool of processes";
  const char* const elsewhere = "must_be_callable_elsewhere() [with F = ";
  for (const auto& [function, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"apply_closure(", is_closure},
           {"map_closure(", is_closure},
           {"submit_closure(", is_closure},
           {"std::function<int()>]", is_closure}}) {
    EXPECT_TRUE(errors.say(elsewhere + std::string(function), why));
  }
  EXPECT_TRUE(errors.say("CannotCross<int*, 0, int*>", "a pointer can't cross"));
  EXPECT_TRUE(
      errors.say("CannotCross<std::__cxx11::basic_string<char>*, 0,", "a pointer can't cross"));
}

}  // namespace tests
