#include "platform/park_several.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace tutti::inline TUTTI_ABI::platform {

namespace {

// As in <linux/futex.h> of Linux 5.16; the headers may be older than the kernel.
struct FutexOfSeveral {
  std::uint64_t value;
  std::uint64_t address;
  std::uint32_t flags;
  std::uint32_t reserved;
};
constexpr std::uint32_t is_32_bits = 2;
constexpr std::uint32_t is_private = 128;
constexpr long number_of_futex_waitv = 449;

constexpr std::int64_t between_looks = 50'000'000;
constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

constinit hint<bool> knows_several{has_processes};

std::uint64_t address_of(const void* word) noexcept {
  return reinterpret_cast<std::uintptr_t>(word);
}

}  // namespace

bool park_on_several(std::span<const ParkingPlace> places, std::int64_t deadline) noexcept {
  if (knows_several.load(relaxed)) {
    std::array<FutexOfSeveral, 3> words{};
    std::transform(places.begin(), places.end(), words.begin(), [](const ParkingPlace& place) {
      const std::uint32_t flags = is_32_bits | (place.reach == Reach::process ? is_private : 0);
      return FutexOfSeveral{place.expected, address_of(&place.word), flags, 0};
    });
    const std::int64_t at = std::max<std::int64_t>(deadline, 0);
    const timespec time = {static_cast<time_t>(at / nanoseconds_per_second),
                           static_cast<long>(at % nanoseconds_per_second)};
    if (syscall(number_of_futex_waitv, words.data(), places.size(), 0,
                deadline == never ? nullptr : &time, CLOCK_MONOTONIC) >= 0) {
      return true;
    }
    if (errno == ETIMEDOUT) return false;
    if (errno == EAGAIN || errno == EINTR) return true;
    knows_several.store(false, relaxed);  // An old kernel, or a filter of system calls.
  }
  const auto has_changed = [](const ParkingPlace& place) {
    return place.word.load(acquire) != place.expected;
  };
  if (std::any_of(places.begin() + 1, places.end(), has_changed)) return true;
  const ParkingPlace& first = places.front();
  const std::int64_t until = std::min(deadline, now() + between_looks);
  return park(first.word, first.expected, until, first.reach) || until != deadline;
}

}  // namespace tutti::inline TUTTI_ABI::platform
