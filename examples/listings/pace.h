// What the listings share: pauses that tests can run fast, and lines that threads don't tear.
#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "tutti/time.h"

/// `units` in seconds: a hundredth of a second each, or a whole one if the program was started with
/// `--real`. The command line is read from the system, so that main() need not pass it on.
inline double seconds(double units) {
  static const bool real = [] {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    const std::string words(std::istreambuf_iterator<char>(file), {});
    return words.find(std::string("\0--real\0", 8)) != std::string::npos;
  }();
  return real ? units : units / 100;
}

inline void pause(double units) {
  tutti::sleep(seconds(units));
}

// Truth is spelled as in Python, whose programs these are.
inline const char* spelled(bool truth) {
  return truth ? "True" : "False";
}
template <typename T>
const T& spelled(const T& value) {
  return value;
}

/// Writes the parts as one line by one call, so that lines of several threads stay whole.
template <typename... Parts>
void say(const Parts&... parts) {
  std::ostringstream line;
  (line << ... << spelled(parts)) << '\n';
  std::fputs(line.str().c_str(), stdout);
  std::fflush(stdout);
}
