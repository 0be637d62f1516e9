// Where putters or getters stand in a ring, in one word.
#pragma once

#include <cstdint>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// How far a ring was written, or read: in which lane, at which place there, after how many items.
///
///       63        62       61      57 56          29 28             0
///     ┌─────────┬────────┬──────────┬──────────────┬────────────────┐
///     │ DROPPED │ SHUT   │ lane     │ count        │ position       │
///     └─────────┴────────┴──────────┴──────────────┴────────────────┘
///
/// count     items put, or taken, so far, modulo 2^28
/// position  in units of 16 bytes since the lane was entered, modulo 2^29: its rest by the size of
///           the lane, which is a power of two, is where in the lane that is
/// SHUT      in a tail only: nothing more is put
/// DROPPED   in a tail only, with SHUT: nothing more is taken either
class Place {
 public:
  static constexpr std::uint32_t most_lanes = 32;
  static constexpr std::uint32_t count_mask = (1U << 28) - 1;
  static constexpr std::uint32_t position_mask = (1U << 29) - 1;
  static constexpr std::uint64_t shut_bit = std::uint64_t{1} << 62;
  static constexpr std::uint64_t dropped_bit = std::uint64_t{1} << 63;

  constexpr explicit Place(std::uint64_t word) noexcept : word_(word) {}
  constexpr Place(std::uint32_t lane, std::uint32_t count, std::uint32_t position) noexcept
      : word_(std::uint64_t{lane % most_lanes} << 57 | std::uint64_t{count & count_mask} << 29 |
              (position & position_mask)) {}

  constexpr std::uint64_t word() const noexcept { return word_; }
  constexpr std::uint32_t lane() const noexcept {
    return static_cast<std::uint32_t>(word_ >> 57) % most_lanes;
  }
  constexpr std::uint32_t count() const noexcept {
    return static_cast<std::uint32_t>(word_ >> 29) & count_mask;
  }
  constexpr std::uint32_t position() const noexcept {
    return static_cast<std::uint32_t>(word_) & position_mask;
  }
  constexpr bool is_shut() const noexcept { return (word_ & shut_bit) != 0; }
  constexpr bool is_dropped() const noexcept { return (word_ & dropped_bit) != 0; }

 private:
  std::uint64_t word_;
};

/// Items that were put before `tail` and not taken before `head`.
constexpr std::uint32_t items_between(Place head, Place tail) noexcept {
  return (tail.count() - head.count()) & Place::count_mask;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
