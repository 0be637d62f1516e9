// A descriptor of the system that is closed with its owner.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

/// Closes, and changes errno for nobody.
void close_descriptor(int descriptor) noexcept;

/// Where a program has closed a standard stream, the next descriptor takes its place, and is
/// written to by whoever prints. Moves such a one to a higher number, -1 if there is none left.
/// What is not open (negative) stays so.
inline int past_the_standard_streams(int descriptor) noexcept {
  if (descriptor < 0 || descriptor > STDERR_FILENO) return descriptor;
  const int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error = errno;
  close(descriptor);
  errno = error;
  return moved;
}

/// Two that were opened together, or the errno value that says why none were.
struct DescriptorPair {
  int error = 0;
  int first = -1;
  int second = -1;
};

/// Moves both `ends` so, which the system has opened if `result` is 0; else errno says why it has
/// not. If one can't be moved, neither stays open.
inline DescriptorPair both_past_the_standard_streams(int result, const int (&ends)[2]) noexcept {
  if (result != 0) return {errno};
  const int first = past_the_standard_streams(ends[0]);
  const int second = past_the_standard_streams(ends[1]);
  if (first >= 0 && second >= 0) return {0, first, second};
  const int error = errno;
  for (const int end : {first, second}) {
    if (end >= 0) close(end);
  }
  return {error};
}

/// Owns a descriptor, or none. Moves as a unique_ptr does.
class Descriptor {
 public:
  constexpr Descriptor() noexcept = default;
  explicit constexpr Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(); }

  explicit operator bool() const noexcept { return number_ >= 0; }
  /// -1 if there is none.
  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }
  void reset(int number = -1) noexcept {
    const int before = std::exchange(number_, number);
    if (before >= 0) close_descriptor(before);
  }

 private:
  int number_ = -1;
};

}  // namespace tutti::inline TUTTI_ABI::platform
