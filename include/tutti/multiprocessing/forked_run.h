// One fork_map: which items are whose, and where their results lie.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "tutti/multiprocessing/segment.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

struct ForkMapOptions {
  /// How many processes; 0: one for each core that this one may use.
  int processes = 0;
  /// How many items a process takes at a time; 0: a quarter of its even share.
  int chunksize = 0;
  /// How often the items of a process that was lost are given to another.
  int retries = 0;
};

namespace forking {

class ForkedRun;

/// What the children do.
class Work {
 public:
  /// In a child: calls the function for the items from `begin` to before `end`, and puts the
  /// results into `run`.
  virtual void run(ForkedRun& run, std::size_t begin, std::size_t end) = 0;

 protected:
  ~Work() = default;
};

/// The shared memory of one fork_map, and the processes that fill it.
class ForkedRun {
 public:
  static constexpr std::size_t alignment = 64;

  /// `width` is the size of a result that is kept as it is; 0 for those that are packed.
  ForkedRun(std::size_t items, std::size_t width, const ForkMapOptions& options);
  ~ForkedRun();
  ForkedRun(const ForkedRun&) = delete;
  ForkedRun& operator=(const ForkedRun&) = delete;

  /// Forks, and waits until all is done. Throws the first error in the order of the items.
  void perform(Work& work);

  /// Where the result of an item is kept as it is.
  std::byte* place(std::size_t item) noexcept { return places_ + item * width_; }
  const std::byte* place(std::size_t item) const noexcept { return places_ + item * width_; }

  /// In a child: room for the next packed result.
  std::span<std::byte> room(std::size_t size);
  /// In the parent: what the child that had the chunk has packed.
  std::span<const std::byte> packed(std::size_t chunk) const noexcept;
  std::size_t chunks() const noexcept { return chunks_; }
  std::size_t items_of(std::size_t chunk) const noexcept;

 private:
  struct Progress;
  struct Chunk;
  class Children;

  std::span<std::byte> pack_of(std::size_t child) const noexcept;
  void perform_in_child(Work& work, std::size_t child, const std::vector<std::size_t>& open);
  void fail(Chunk& chunk, const std::exception_ptr& error);
  std::vector<std::size_t> still_open(const std::vector<std::size_t>& of) const;
  void throw_first_error() const;

  std::size_t items_;
  std::size_t width_;
  std::size_t processes_;
  std::size_t chunksize_;
  std::size_t chunks_;
  int retries_;
  Segment shared_;
  Progress* progress_;
  Chunk* table_;
  std::byte* places_;
  /// Where the children pack to, each into a part of `pack_size_` bytes.
  Segment packs_;
  std::size_t pack_size_;
  /// In a child: its own of them, and how much of it is used.
  std::size_t child_ = 0;
  std::size_t used_ = 0;
};

}  // namespace forking

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
