// How large the objects are, in bytes. Not a matter of time: one iteration, and the counters tell.
#include <benchmark/benchmark.h>

#include "tutti/threading.h"

namespace {

void sizes(benchmark::State& state) {
  for (auto _ : state) {
  }
  state.counters["Lock"] = sizeof(tutti::threading::Lock);
  state.counters["RLock"] = sizeof(tutti::threading::RLock);
  state.counters["Condition"] = sizeof(tutti::threading::Condition);
  state.counters["Event"] = sizeof(tutti::threading::Event);
}

BENCHMARK(sizes)->Name("sizes/tutti")->Iterations(1);

}  // namespace
