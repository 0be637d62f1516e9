// Helper programs of the tests: each has cases, and runs the one that its argument names.
#pragma once

#include <initializer_list>
#include <string_view>

namespace program {

struct Case {
  std::string_view name;
  /// Returns the program's exit code.
  int (*run)();
};

/// Runs the case that the command line names; 99 if there is none.
int run(std::initializer_list<Case> cases);

/// The name of the case, also before main() begins and after it has returned.
std::string_view case_name();

/// Writes a line to stdout, unbuffered.
void say(std::string_view line);

/// Says what is wrong, and ends the program at once with code 98, if `holds` is false.
void check(bool holds, std::string_view claim);

/// The child's exit code, or minus the signal that ended it.
int wait_for(int child);

}  // namespace program
