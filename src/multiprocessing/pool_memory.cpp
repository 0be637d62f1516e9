#include "multiprocessing/pool_memory.h"

#include <algorithm>
#include <bit>
#include <type_traits>
#include <utility>

#include "platform/segment.h"
#include "runtime/shared_waiting.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using platform::in_pages;
using platform::page;

constexpr std::size_t seat_size = in_pages(sizeof(SeatWords)) + ResultWriter::ring_size;
constexpr std::size_t modules_begin = in_pages(sizeof(PoolWords));
constexpr std::size_t seats_begin = modules_begin + in_pages(sizeof(ModuleRecords));

// Of the addresses that a process has, this is a sixteenth.
constexpr std::size_t most_in_all = std::size_t{8} << 40;
constexpr std::size_t smallest_area = std::size_t{16} << 20;

static_assert(std::is_trivially_destructible_v<PoolWords> &&
              std::is_trivially_destructible_v<ModuleRecords> &&
              std::is_trivially_destructible_v<SeatWords>);

constexpr std::size_t areas_begin(std::size_t workers) noexcept {
  return seats_begin + workers * seat_size;
}

Segment make_segment(std::size_t workers) {
  const std::size_t areas = workers + 1;
  const std::size_t largest_area = std::min(platform::memory_of_machine(), most_in_all / areas);
  return Segment::make_largest(
      areas_begin(workers) + in_pages(std::max(largest_area, smallest_area)) * areas,
      PoolMemory::least_size(workers), "tutti pool");
}

}  // namespace

std::size_t PoolMemory::least_size(std::size_t workers) noexcept {
  return areas_begin(workers) + smallest_area * (workers + 1);
}

PoolMemory::PoolMemory(std::size_t workers) : PoolMemory(workers, make_segment(workers)) {}

PoolMemory::PoolMemory(std::size_t workers, Segment segment)
    : workers_(workers),
      areas_begin_(areas_begin(workers)),
      segment_(std::move(segment)),
      area_((segment_.size() - areas_begin_) / (workers + 1) / page * page) {}

PoolWords& PoolMemory::words() const noexcept {
  return *reinterpret_cast<PoolWords*>(segment_.data());
}

ModuleRecords& PoolMemory::modules() const noexcept {
  return *reinterpret_cast<ModuleRecords*>(segment_.data() + modules_begin);
}

SeatWords& PoolMemory::seat(std::size_t seat) const noexcept {
  return *reinterpret_cast<SeatWords*>(segment_.data() + seats_begin + seat * seat_size);
}

ResultPlaces PoolMemory::results_of(std::size_t seat) const noexcept {
  std::byte* const begin = segment_.data() + seats_begin + seat * seat_size;
  return {&this->seat(seat).results,
          {begin + in_pages(sizeof(SeatWords)), ResultWriter::ring_size},
          {segment_.data() + areas_begin_ + seat * area_, area_}};
}

std::span<std::byte> PoolMemory::task_bytes() const noexcept {
  return {segment_.data() + areas_begin_ + workers_ * area_, area_};
}

void PoolMemory::drop(std::span<const std::byte> bytes) const noexcept {
  if (bytes.empty()) return;
  const auto offset = static_cast<std::size_t>(bytes.data() - segment_.data());
  const std::size_t begin = in_pages(offset);
  const std::size_t end = (offset + bytes.size()) / page * page;
  if (begin < end) platform::drop_pages(segment_.descriptor(), begin, end - begin);
}

// --- waking --------------------------------------------------------------------------------------

bool PoolMemory::wake_worker_of(std::size_t word) const noexcept {
  platform::atomic<std::uint64_t>& idle = words().idle[word];
  // seq_cst: see TaskRing::offer().
  std::uint64_t seen = idle.load(platform::seq_cst);
  while (seen != 0) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(seen));
    const std::uint64_t mask = std::uint64_t{1} << bit;
    if ((idle.fetch_and(~mask, platform::acq_rel) & mask) != 0) {
      platform::atomic<std::uint32_t>& wake = seat(word * 64 + bit).wake;
      // Pairs with the acquire of the worker's wait.
      wake.store(1, platform::release);
      runtime::wake_shared_word(wake, 1);
      return true;
    }
    seen = idle.load(platform::seq_cst);
  }
  return false;
}

void PoolMemory::wake_worker() const noexcept {
  for (std::size_t word = 0; word * 64 < workers_; ++word) {
    if (wake_worker_of(word)) return;
  }
}

void PoolMemory::wake_all_workers() const noexcept {
  for (std::size_t word = 0; word * 64 < workers_; ++word) {
    while (wake_worker_of(word)) {
    }
  }
}

void PoolMemory::wake_parent() const noexcept {
  platform::atomic<std::uint32_t>& asleep = words().is_parent_asleep;
  // seq_cst: who has something to tell has stored that before, and the parent, which says that it
  // is about to sleep, looks for it after that.
  if (asleep.load(platform::seq_cst) == 0) return;
  if (asleep.exchange(0, platform::acq_rel) == 1) runtime::wake_shared_word(asleep, 1);
}

void PoolMemory::wake_parent_surely() const noexcept {
  platform::atomic<std::uint32_t>& asleep = words().is_parent_asleep;
  asleep.store(0, platform::seq_cst);
  runtime::wake_shared_word(asleep, 1);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
