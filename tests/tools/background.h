// A helper program that runs beside a test, until the test has done with it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace tests {

class Background {
 public:
  /// Starts the program, with `variables` ("NAME=value") beside the environment, and returns when
  /// it has said its first line.
  Background(const std::string& program, const std::vector<std::string>& arguments,
             const std::vector<std::string>& variables = {});
  /// Kills it, and those that it has started.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  pid_t pid() const noexcept { return pid_; }
  void send(int signal) const;
  /// Kills it and waits for its end.
  void end();
  /// What it has written to stdout and stderr so far.
  std::string said();
  /// The letters that /proc has for the states of its threads, the main thread's first.
  std::string states() const;
  /// The main thread's.
  char state() const;
  bool is_stopped() const;

 private:
  bool read_some(std::chrono::milliseconds patience);

  pid_t pid_ = -1;
  int output_ = -1;
  bool has_ended_ = false;
  std::string said_;
};

}  // namespace tests
