// A Python program at the other end of something.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "support/forked.h"

namespace tests {

/// Runs `script` in Debian's Python, with `arguments` as sys.argv[1:] and copies of `descriptors`
/// under the same numbers.
class Python : public Forked {
 public:
  Python(const std::string& script, std::vector<std::string> arguments,
         std::initializer_list<int> descriptors = {})
      : Forked([&] {
          for (const int descriptor : descriptors) fcntl(descriptor, F_SETFD, 0);
          std::vector<const char*> words{"python3", "-c", script.c_str()};
          for (const std::string& argument : arguments) words.push_back(argument.c_str());
          words.push_back(nullptr);
          execv("/usr/bin/python3", const_cast<char**>(words.data()));
          return 127;
        }) {}
};

}  // namespace tests
