// What one worker tells its pool's parent: results, in memory that the two share.
//
// One writes and one reads, so there is no lock: a record is there from the store of `written` on
// that comes after its bytes. A worker that is killed before has told nothing of it, and one that
// is killed after has told all; what it has told can still be read when it is dead.
//
// Records lie in a ring of bytes, each in one piece, behind a heading of 16 bytes. Large ones lie
// in an area of their own, of which pages take memory once they are touched; it is used from its
// beginning again whenever all of them have been read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "runtime/self.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

enum class RecordKind : std::uint32_t {
  /// What is left of the ring up to its end is empty.
  skipped,
  /// A task's result.
  result,
  /// What the task has thrown.
  exception,
  /// The task's arguments or result could not be packed or unpacked: what that has thrown.
  not_packed,
  /// The thread::SystemExit that the task has thrown.
  exit,
  /// What the initializer has thrown.
  not_ready,
};

/// The words of a ring, in shared memory; zeroed memory is an empty one.
struct ResultWords {
  /// Bytes ever written, and read.
  alignas(64) platform::atomic<std::uint64_t> written;
  alignas(64) platform::atomic<std::uint64_t> read;
  /// Large records ever read.
  platform::atomic<std::uint64_t> large_read;
  /// 1 while the worker waits for room; it sleeps on it.
  platform::atomic<std::uint32_t> is_stuck;
};

/// Where a ring's bytes are.
struct ResultPlaces {
  ResultWords* words = nullptr;
  std::span<std::byte> ring;
  std::span<std::byte> large;
};

/// The worker's side. Not thread-safe.
class ResultWriter {
 public:
  static constexpr std::size_t ring_size = std::size_t{256} << 10;
  /// Records of more bytes are large.
  static constexpr std::size_t largest_in_ring = ring_size / 8;

  explicit ResultWriter(ResultPlaces places) noexcept : places_(places) {}

  /// Room for a record of `size` bytes, until the next call; waits until the parent has made it.
  /// Throws OSError if that can never be, KeyboardInterrupt in an interrupted main thread.
  std::span<std::byte> room(std::size_t size);
  /// The record is what has been written into the first `size` bytes of the room.
  void commit(RecordKind kind, std::uint32_t ticket, std::size_t size) noexcept;

 private:
  template <typename HasRoom>
  void wait_until(HasRoom has_room);

  ResultPlaces places_;
  std::uint64_t written_ = 0;
  std::uint64_t large_written_ = 0;
  /// Where the next large record begins.
  std::size_t large_next_ = 0;
  std::span<std::byte> room_;
  bool is_large_ = false;
};

struct ResultRecord {
  RecordKind kind = RecordKind::skipped;
  std::uint32_t ticket = 0;
  std::span<const std::byte> bytes;
  bool is_large = false;
  /// Where the next one begins.
  std::uint64_t end = 0;
};

/// The parent's side. Not thread-safe.
class ResultReader {
 public:
  explicit ResultReader(ResultPlaces places) noexcept : places_(places) {}

  /// So many bytes of the large records' area stay memory once they were used.
  static constexpr std::size_t largest_kept = std::size_t{32} << 20;

  /// The next record; its bytes stay until pass(), which comes for one after the other, in their
  /// order. What lies within the memory is checked: a worker that writes wildly may have been here.
  /// None from then on.
  std::optional<ResultRecord> next() noexcept;
  /// Whether there was a record that can't be one, so that what comes after it can't be found.
  bool is_damaged() const noexcept { return is_damaged_; }
  /// Of a record that was used: what is not to stay memory. Before pass(), since it may be written
  /// to afterwards.
  std::span<const std::byte> beyond_kept(const ResultRecord& record) const noexcept;
  void pass(const ResultRecord& record) noexcept;
  /// Whether there is one. For who is about to sleep, after he has said so.
  bool has_record() const noexcept;
  /// Once the worker is dead and all has been read: the ring is as new, for the next one.
  void reset() noexcept;

 private:
  ResultPlaces places_;
  std::uint64_t read_ = 0;
  std::uint64_t passed_ = 0;
  /// `written` as it was last seen.
  std::uint64_t seen_ = 0;
  std::uint64_t large_read_ = 0;
  bool is_damaged_ = false;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
