// Producers hand items to consumers through a queue with limited room: one to one, two to two, four
// to four. One round is one item. Where the name does not say otherwise, items are integers and
// there is room for 1,024.
//
// Strings are of 32 characters, so that each has memory of its own, which the producer allocates
// and the consumer frees.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "blocking_queues.h"
#include "together.h"

namespace {

struct Bytes64 {
  std::int64_t number;
  std::array<std::byte, 56> rest;
};
static_assert(sizeof(Bytes64) == 64);

template <typename Item>
Item make_item(std::int64_t number) {
  if constexpr (std::is_same_v<Item, std::string>) {
    return std::string(32, static_cast<char>('a' + number % 26));
  } else if constexpr (std::is_same_v<Item, Bytes64>) {
    return {number, {}};
  } else {
    return static_cast<Item>(number);
  }
}

template <typename Queue, typename Item, int pairs>
void queue_bounded(benchmark::State& state) {
  Queue queue;
  together(state, 2 * pairs, [&queue](int thread, std::int64_t rounds) {
    // As many items as rounds in all, shared out evenly; the first pair has what is left over.
    const int pair = thread / 2;
    const std::int64_t mine = rounds / pairs + (pair == 0 ? rounds % pairs : 0);
    if (thread % 2 == 0) {
      for (std::int64_t i = 0; i < mine; ++i) queue.put(make_item<Item>(i));
    } else {
      for (std::int64_t i = 0; i < mine; ++i) benchmark::DoNotOptimize(queue.get());
    }
  });
}

template <int pairs, typename Item = int, int capacity = 1024>
void register_all(const std::string& subject) {
  const auto add = [&](const char* contender, void (*function)(benchmark::State&)) {
    // Shorter than the default, since there are so many of them.
    benchmark::RegisterBenchmark((subject + "/" + contender).c_str(), function)
        ->UseManualTime()
        ->MinTime(0.2);
  };
  add("tutti", queue_bounded<Tutti<Item, capacity>, Item, pairs>);
  add("mutex_and_conditions", queue_bounded<MutexAndConditions<Item, capacity>, Item, pairs>);
  add("tbb_bounded", queue_bounded<TbbBounded<Item, capacity>, Item, pairs>);
  // With less room it would be no contender: it has no limit.
  if constexpr (capacity == 1024) {
    add("moodycamel_blocking", queue_bounded<MoodycamelBlocking<Item>, Item, pairs>);
  }
  if constexpr (std::is_trivially_copyable_v<Item>) {
    add("boost_lockfree", queue_bounded<BoostLockfree<Item, capacity>, Item, pairs>);
  }
}

[[maybe_unused]] const bool registered = [] {
  register_all<1>("queue_bounded_1_1");
  register_all<2>("queue_bounded_2_2");
  register_all<4>("queue_bounded_4_4");
  register_all<1, int, 1>("queue_bounded_1_1_capacity_1");
  register_all<4, int, 1>("queue_bounded_4_4_capacity_1");
  register_all<1, int, 64>("queue_bounded_1_1_capacity_64");
  register_all<4, int, 64>("queue_bounded_4_4_capacity_64");
  register_all<1, Bytes64>("queue_bounded_1_1_64_bytes");
  register_all<1, std::string>("queue_bounded_1_1_string");
  register_all<2, std::string>("queue_bounded_2_2_string");
  return true;
}();

}  // namespace
