// The program that is to be run, and whether the loader would put a library before it.
#pragma once

#include <stdexcept>
#include <string>

namespace run {

/// Why it can't be run; `code` is what shells and env(1) exit with for that.
class CannotRun : public std::runtime_error {
 public:
  static constexpr int not_found = 127;
  static constexpr int not_possible = 126;

  CannotRun(int exit_code, const std::string& why) : std::runtime_error(why), code(exit_code) {}
  const int code;
};

/// The file that `name` means: itself if it has a slash, otherwise the first in PATH that can be
/// executed. Throws CannotRun.
std::string find_program(const std::string& name);

/// Throws CannotRun, with the reason, if a preloaded library would have no part in this program:
/// linked statically, with the rights of another user, for another machine or C library. A script
/// stands for its interpreter.
void check_can_preload(const std::string& path);

}  // namespace run
