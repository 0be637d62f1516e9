// Where packed values are written to and read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// The way by which descriptors go to another process along with packed bytes, for values that own
/// one. There is one while a process is given its arguments; elsewhere it is null.
class Passage {
 public:
  /// At the sender: returns the index under which the receiver will find `descriptor`.
  virtual int add_descriptor(int descriptor) = 0;
  /// At the receiver: an open descriptor, the caller's from now on. ValueError if none was sent
  /// under this index.
  virtual int take_descriptor(int index) = 0;

 protected:
  ~Passage() = default;
};

/// Writes one after another into room that is there already. Not thread-safe.
class Writer {
 public:
  /// `room` is as large as packed_size() said of all that is to be written, and outlives this.
  explicit Writer(std::span<std::byte> room, Passage* passage = nullptr) noexcept
      : room_(room), passage_(passage) {}

  /// Throws RuntimeError when the room is too small.
  void write(const void* from, std::size_t size) {
    if (size > room_.size() - written_) throw_full(size);
    if (size != 0) std::memcpy(room_.data() + written_, from, size);
    written_ += size;
  }
  std::size_t written() const noexcept { return written_; }
  Passage* passage() const noexcept { return passage_; }

 private:
  [[noreturn]] void throw_full(std::size_t size) const;

  std::span<std::byte> room_;
  std::size_t written_ = 0;
  Passage* passage_;
};

/// Reads from bytes that may be anything: what can't be there throws ValueError. Not thread-safe.
class Reader {
 public:
  /// `bytes` outlive this.
  explicit Reader(std::span<const std::byte> bytes, Passage* passage = nullptr) noexcept
      : rest_(bytes), passage_(passage) {}

  /// Throws ValueError when fewer bytes are left.
  void read(void* to, std::size_t size) {
    const std::span<const std::byte> from = take(size);
    if (size != 0) std::memcpy(to, from.data(), size);
  }
  /// The next bytes where they are. Throws ValueError when fewer are left.
  std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size()) throw_short(size);
    const std::span<const std::byte> taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  /// How many elements follow, each of so many bytes at least. Throws ValueError when there can't
  /// be as many, so that memory may be reserved for them.
  std::size_t read_count(std::size_t smallest);
  /// How many bytes are left.
  std::size_t rest() const noexcept { return rest_.size(); }
  Passage* passage() const noexcept { return passage_; }
  /// Of the containers that are being read: Nesting's.
  std::size_t& depth() noexcept { return depth_; }

 private:
  [[noreturn]] void throw_short(std::size_t size) const;

  std::span<const std::byte> rest_;
  Passage* passage_;
  std::size_t depth_ = 0;
};

/// So deep may values be nested that contain their like, such as trees: reading them is recursive.
inline constexpr std::size_t deepest = 200;

/// Adds up how many bytes are going to be written.
class Measure {
 public:
  void add(std::size_t size) noexcept { size_ += size; }
  std::size_t size() const noexcept { return size_; }
  /// Of the containers that are being measured: Nesting's.
  std::size_t& depth() noexcept { return depth_; }

 private:
  std::size_t size_ = 0;
  std::size_t depth_ = 0;
};

[[noreturn]] void throw_deep();

/// One level of containers in containers, while it is read or measured.
class Nesting {
 public:
  /// Throws ValueError when it is too deep.
  template <typename Process>
  explicit Nesting(Process& process) : depth_(process.depth()) {
    if (depth_ >= deepest) throw_deep();
    ++depth_;
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  std::size_t& depth_;
};

/// "3 bytes", for messages.
std::string bytes_in_words(std::uint64_t count);

/// What can't be a `type`: throws ValueError.
[[noreturn]] void throw_invalid(std::string_view type, std::uint64_t found);

}  // namespace tutti::inline TUTTI_ABI::pickle
