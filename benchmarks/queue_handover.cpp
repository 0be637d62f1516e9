// Two threads that hand one item to and fro, through two queues with room for one. One round is
// there and back.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "blocking_queues.h"
#include "together.h"

namespace {

template <typename Queue>
void queue_handover(benchmark::State& state) {
  alignas(64) Queue there;
  alignas(64) Queue back;
  together(state, 2, [&](int me, std::int64_t rounds) {
    int item = 0;
    for (std::int64_t round = 0; round < rounds; ++round) {
      if (me == 0) {
        there.put(item);
        item = back.get();
      } else {
        back.put(there.get() + 1);
      }
    }
    benchmark::DoNotOptimize(item);
  });
}

void add(const char* name, void (*function)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name, function)->UseManualTime();
}

[[maybe_unused]] const bool registered = [] {
  add("queue_handover/tutti", queue_handover<Tutti<int, 1>>);
  add("queue_handover/mutex_and_conditions", queue_handover<MutexAndConditions<int, 1>>);
  add("queue_handover/tbb_bounded", queue_handover<TbbBounded<int, 1>>);
  add("queue_handover/moodycamel_blocking", queue_handover<MoodycamelBlocking<int>>);
  return true;
}();

}  // namespace
