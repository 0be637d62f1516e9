#include "platform/park_either.h"

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

bool park_either(const atomic<std::uint32_t>& shared, std::uint32_t expected,
                 const atomic<std::uint32_t>& own, std::uint32_t own_expected,
                 std::int64_t deadline) noexcept {
  if (knows_several.load(relaxed)) {
    const std::array<FutexOfSeveral, 2> words{
        {{expected, address_of(&shared), is_32_bits, 0},
         {own_expected, address_of(&own), is_32_bits | is_private, 0}}};
    const std::int64_t at = std::max<std::int64_t>(deadline, 0);
    const timespec time = {static_cast<time_t>(at / nanoseconds_per_second),
                           static_cast<long>(at % nanoseconds_per_second)};
    if (syscall(number_of_futex_waitv, words.data(), words.size(), 0,
                deadline == never ? nullptr : &time, CLOCK_MONOTONIC) >= 0) {
      return true;
    }
    if (errno == ETIMEDOUT) return false;
    if (errno == EAGAIN || errno == EINTR) return true;
    knows_several.store(false, relaxed);  // An old kernel, or a filter of system calls.
  }
  if (own.load(acquire) != own_expected) return true;
  const std::int64_t until = std::min(deadline, now() + between_looks);
  return park(shared, expected, until, Reach::machine) || until != deadline;
}

}  // namespace tutti::inline TUTTI_ABI::platform
