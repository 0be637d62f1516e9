// What the tests of processes ask of the children that they start: how they end, and what they
// tell.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tutti/multiprocessing/process.h"

namespace tests {

/// Starts it, and waits for its end. -1000 if nobody knows how it ended.
inline int exit_code_of(tutti::multiprocessing::Process process) {
  process.start();
  process.join();
  return process.exitcode().value_or(-1000);
}

/// How many descriptors this process has.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

/// The writing end of a channel, which crosses to another process.
class Mouth {
 public:
  Mouth() = default;
  explicit Mouth(int descriptor) : descriptor_(descriptor) {}
  void tell(const std::string& text) const {
    if (write(descriptor_, text.data(), text.size()) < 0) std::abort();
  }
  template <typename Archive>
  friend void tutti_serialize(Archive& archive, Mouth& mouth) {
    archive.descriptor(mouth.descriptor_, "Mouth");
  }

 private:
  int descriptor_ = -1;
};

/// A pipe through which a child tells its parent what it has seen.
class Channel {
 public:
  Channel() {
    if (pipe2(ends_, O_CLOEXEC) != 0) std::abort();
  }
  ~Channel() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// For a child that is no copy of its parent.
  Mouth mouth() const { return Mouth(ends_[1]); }
  void tell(const std::string& text) const { mouth().tell(text); }
  /// What has been told; waits for it if there is nothing.
  std::string hear() const {
    char text[4096];
    const ssize_t size = read(ends_[0], text, sizeof text);
    return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }

 private:
  int ends_[2];
};

}  // namespace tests
