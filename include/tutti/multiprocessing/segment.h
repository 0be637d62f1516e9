// Memory that processes share: what queues, values and locks of several processes lie in.
#pragma once

#include <cstddef>
#include <memory>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Zeroed memory that forked children share, and spawned ones that are given it.
///
/// A handle: copies are the same memory, which lives until the last handle in the last process is
/// gone, however that process ends. It has no name in the file system and leaves nothing behind.
/// Its size is fixed, and pages take memory once they are touched, so that it may be generous; core
/// dumps leave it out. Each takes one file descriptor. Thread-safe as a std::shared_ptr is.
class Segment {
 public:
  /// Throws OSError when the process has no descriptor left, or the machine no memory; `label` is
  /// what the message and the system's tools call it.
  static Segment make(std::size_t size, const char* label);
  /// As much of `most` bytes as there are addresses for, where a process may have few ('ulimit
  /// -v'): then it is a small part of those that are left, lest it takes all. Throws as make() does
  /// if there are not even `least` bytes.
  static Segment make_largest(std::size_t most, std::size_t least, const char* label);
  /// The segment whose descriptor another process has passed; takes the descriptor, also when it
  /// throws. Throws ValueError if that is no segment of at least `least_size` bytes, OSError as
  /// make() does.
  static Segment adopt(int descriptor, std::size_t least_size, const char* label);

  /// None: data() is null.
  Segment() noexcept = default;

  std::byte* data() const noexcept;
  std::size_t size() const noexcept;
  /// To be passed to another process; -1 for none.
  int descriptor() const noexcept;
  explicit operator bool() const noexcept { return pages_ != nullptr; }
  friend bool operator==(const Segment& one, const Segment& other) noexcept = default;

 private:
  struct Pages;

  explicit Segment(std::shared_ptr<const Pages> pages) noexcept;
  static Segment map(int descriptor, std::size_t size, const char* label);

  std::shared_ptr<const Pages> pages_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
