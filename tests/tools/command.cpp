#include "tools/command.h"

#include <regex>
#include <sstream>

#include "support/until.h"

namespace tests {

Ended tutti(const std::vector<std::string>& arguments) {
  return run_program(TUTTI_COMMAND, arguments);
}

Background hanging(const std::string& how, std::vector<std::string> variables) {
  variables.push_back("TUTTI_DEADLOCK=off");
  return Background(PROGRAM_HUNG, {how}, variables);
}

void until_told(const Background& program) {
  until([&] {
    return tutti({"ps", number(program.pid())}).out.find("deadlock:") != std::string::npos;
  });
}

std::string number(pid_t pid) {
  return std::to_string(pid);
}

testing::AssertionResult has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
}

testing::AssertionResult has_line(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (std::regex_search(line, expression)) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "no line is like '" << pattern << "' in:\n" << text;
}

}  // namespace tests
