#include "runtime/spin.h"

#include <algorithm>
#include <array>

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

constexpr std::int64_t shortest_park = 10'000;
constexpr std::int64_t longest_park = 60'000;
constinit platform::hint<std::int64_t> park_cost{50'000};

constexpr std::uint32_t deepest_halving = 6;
constexpr std::uint32_t tries_between_full_spins = 32;

// Objects share an entry when their addresses collide; then they learn together. Low 16 bits:
// number of halvings; high: spins that did not pay since the last full one.
constinit std::array<platform::hint<std::uint32_t>, 256> lessons{};

platform::hint<std::uint32_t>& lesson(const void* object) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  return lessons[(address >> 2 ^ address >> 10 ^ address >> 18) % lessons.size()];
}

}  // namespace

void learn_park_cost(std::int64_t cost) noexcept {
  const std::int64_t known = park_cost.load(platform::relaxed);
  const std::int64_t seen = std::clamp(cost, shortest_park, longest_park);
  park_cost.store(known + (seen - known) / 8, platform::relaxed);
}

std::int64_t spin_budget(const void* object) noexcept {
  return park_cost.load(platform::relaxed) >> (lesson(object).load(platform::relaxed) & 0xffff);
}

// Concurrent updates may overwrite each other: it is advice, and only one lesson is lost.
void learn_spin(const void* object, bool paid) noexcept {
  platform::hint<std::uint32_t>& entry = lesson(object);
  const std::uint32_t known = entry.load(platform::relaxed);
  std::uint32_t halvings = known & 0xffff;
  std::uint32_t misses = known >> 16;
  if (paid) {
    if (known == 0) return;
    halvings = halvings == 0 ? 0 : halvings - 1;
    misses = 0;
  } else if (++misses >= tries_between_full_spins) {
    halvings = 0;
    misses = 0;
  } else {
    halvings = std::min(halvings + 1, deepest_halving);
  }
  entry.store(misses << 16 | halvings, platform::relaxed);
}

}  // namespace tutti::inline TUTTI_ABI::runtime
