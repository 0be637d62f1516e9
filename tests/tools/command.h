// Running the `tutti` command in tests.
#pragma once

#include <string>
#include <vector>

#include "support/run_program.h"
#include "tools/background.h"

namespace tests {

/// `tutti ARGUMENTS…`
Ended tutti(const std::vector<std::string>& arguments);
/// A program that hangs in the way `how`; see programs/program_hung.cpp.
Background hanging(const std::string& how, std::vector<std::string> variables = {});
/// Waits until each thread of a ring has waited long enough to have said who holds what it waits
/// for.
void until_told(const Background& program);
std::string number(pid_t pid);
/// True if `part` is in `text`; else says so.
testing::AssertionResult has(const std::string& text, const std::string& part);
/// The same for a regular expression, which may span no lines.
testing::AssertionResult has_line(const std::string& text, const std::string& pattern);

}  // namespace tests
