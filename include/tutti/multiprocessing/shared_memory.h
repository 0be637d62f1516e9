// multiprocessing::SharedMemory: a block of memory that other processes find by its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory {

/// What the copies of a SharedMemory share.
struct Block;

/// What a SharedMemory is made with.
struct SharedMemoryOptions {
  /// None makes one up: "psm_" and eight random digits.
  std::optional<std::string> name = std::nullopt;
  /// Whether to make a new block, or to attach to the one that has this name.
  bool create = false;
  /// Of a new block, in bytes.
  std::ptrdiff_t size = 0;
  /// Whether the block is removed when the program has ended, or was killed, without unlink().
  bool track = true;
};

/// A block of memory with a name, for processes that have nothing else in common: programs in
/// Python attach to it too.
///
///     SharedMemory memory({.create = true, .size = 1'000'000});
///     auto numbers = memory.map<double>();          // in another process:
///     …                                             //   SharedMemory memory(name);
///     memory.unlink();                              //   auto numbers = memory.map<double>();
///
/// A handle: copies are the same mapping, as references are in Python; it is unmapped by close(),
/// or with the last copy. A child made by fork() has the mapping too. The memory itself lives until
/// it was unlinked and all who have mapped it have closed it.
///
/// A block that was made here, and not with `track = false`, is removed when this program and all
/// its forked children have ended without unlink(), whatever they died of; a warning says so. Who
/// only attaches has no part in that.
///
/// Making, attaching, closing and unlinking are thread-safe; what is in the memory is the callers'
/// affair, see Lock. Python counterpart: multiprocessing.shared_memory.SharedMemory.
class SharedMemory {
 public:
  /// Makes a block of `size` bytes, all zero, or attaches to the one called `name`, which may begin
  /// with a slash. Throws FileExistsError when a new block's name is taken, FileNotFoundError when
  /// there is no block to attach to, OSError when the system refuses (for want of memory: at once,
  /// not when the block is written to), ValueError for a size below 1, a name that is none, and a
  /// block without a byte.
  explicit SharedMemory(std::optional<std::string> name, bool create = false,
                        std::ptrdiff_t size = 0, bool track = true);
  explicit SharedMemory(const SharedMemoryOptions& options)
      : SharedMemory(options.name, options.create, options.size, options.track) {}

  /// Without the slash.
  const std::string& name() const noexcept;
  /// In bytes.
  std::size_t size() const noexcept;
  /// The memory. Throws ValueError once it is closed.
  std::span<std::byte> buf() const;

  /// The memory from byte `offset` on as objects of type T: `count` of them, or as many as there is
  /// room for. What they hold is what the bytes say, zeros in a new block. Throws ValueError when
  /// they would reach beyond the end, when `offset` is no place for a T, or once it is closed.
  template <typename T>
  std::span<T> map(std::size_t offset = 0, std::optional<std::size_t> count = std::nullopt) const {
    static_assert(std::is_trivially_copyable_v<T>,
                  "only trivially copyable types mean the same in every process");
    static_assert(!std::is_pointer_v<T>, "an address means nothing in another process");
    const std::span<std::byte> part = part_for(offset, count, sizeof(T), alignof(T));
    return {reinterpret_cast<T*>(part.data()), part.size() / sizeof(T)};
  }

  /// Unmaps it, for all copies in this process: spans of it must not be used any more. Closing
  /// twice does nothing.
  void close() const noexcept;
  /// Takes the name away, for all processes. Who has it mapped keeps it. Throws FileNotFoundError
  /// when there is no block of that name any more. It may be called by whoever knows the block,
  /// also after close().
  void unlink() const;

  /// To pass it to a spawned process: that attaches to it.
  template <typename Archive>
  friend void tutti_serialize(Archive& archive, SharedMemory& memory) {
    std::string name = memory.block_ == nullptr ? std::string() : memory.name();
    archive(name);
    if constexpr (Archive::is_reading) memory = SharedMemory(name);
  }
  /// Nothing, for one that is about to be received.
  SharedMemory() noexcept = default;

  friend bool operator==(const SharedMemory&, const SharedMemory&) noexcept = default;

 private:
  std::span<std::byte> part_for(std::size_t offset, std::optional<std::size_t> count,
                                std::size_t size, std::size_t alignment) const;

  std::shared_ptr<Block> block_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory

namespace tutti::inline TUTTI_ABI::multiprocessing {

using shared_memory::SharedMemory;
using shared_memory::SharedMemoryOptions;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
