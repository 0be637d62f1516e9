// What a timeline costs while it is recorded, where threads do little but wait for each other. The
// contender `recording` differs from `tutti` only in that.
//
// What it costs while it is not recorded is in `scripts/bench --diagnosis`.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "together.h"
#include "tutti/inspect.h"
#include "tutti/queue.h"
#include "tutti/threading.h"

namespace {

namespace inspect = tutti::inspect;
namespace threading = tutti::threading;

enum class Timeline { off, on };

// As `together`, and the file is written when the time has been taken.
void measure(benchmark::State& state, Timeline timeline, int threads,
             const std::function<void(int thread, std::int64_t rounds)>& body) {
  if (timeline == Timeline::on) inspect::trace_to("/dev/null");
  together(state, threads, body);
  inspect::stop_trace();
}

// Two threads take turns, told so by a condition.
void pingpong(benchmark::State& state, Timeline timeline) {
  threading::Condition changed;
  int turn = 0;
  measure(state, timeline, 2, [&](int me, std::int64_t rounds) {
    for (std::int64_t round = 0; round < rounds; ++round) {
      std::scoped_lock held(changed);
      changed.wait_for([&] { return turn == me; });
      turn = 1 - me;
      changed.notify();
    }
  });
}

// Two threads hand an item to and fro through queues with room for one.
void handover(benchmark::State& state, Timeline timeline) {
  tutti::queue::Queue<int> there(1);
  tutti::queue::Queue<int> back(1);
  measure(state, timeline, 2, [&](int me, std::int64_t rounds) {
    for (std::int64_t round = 0; round < rounds; ++round) {
      if (me == 0) {
        there.put(1);
        benchmark::DoNotOptimize(back.get());
      } else {
        back.put(there.get());
      }
    }
  });
}

// `threads` threads want one lock all the time.
void contended(benchmark::State& state, Timeline timeline, int threads) {
  threading::Lock lock;
  std::uint64_t value = 1;
  measure(state, timeline, threads, [&](int, std::int64_t rounds) {
    std::uint64_t own = 1;
    const auto work = [](std::uint64_t& on, int steps) {
      for (int i = 0; i < steps; ++i) on = on * 6364136223846793005U + 1442695040888963407U;
      benchmark::DoNotOptimize(on);
    };
    for (std::int64_t round = 0; round < rounds; ++round) {
      {
        const std::scoped_lock held(lock);
        work(value, 4);
      }
      work(own, 8);
    }
  });
}

// Threads are started and joined: each has a ring of its own.
void start_join(benchmark::State& state, Timeline timeline) {
  if (timeline == Timeline::on) inspect::trace_to("/dev/null");
  for (auto _ : state) {
    threading::Thread thread([] {});
    thread.start();
    thread.join();
  }
  inspect::stop_trace();
}

void add(const std::string& subject, const std::function<void(benchmark::State&, Timeline)>& run) {
  for (const Timeline timeline : {Timeline::off, Timeline::on}) {
    const char* contender = timeline == Timeline::off ? "/tutti" : "/recording";
    auto* made = benchmark::RegisterBenchmark(
        (subject + contender).c_str(),
        [run, timeline](benchmark::State& state) { run(state, timeline); });
    if (subject == "trace_start_join") {
      made->UseRealTime();
    } else {
      made->UseManualTime();
    }
  }
}

[[maybe_unused]] const bool registered = [] {
  add("trace_condition_pingpong", pingpong);
  add("trace_queue_handover", handover);
  for (const int threads : {2, 8}) {
    add("trace_lock_contended_" + std::to_string(threads),
        [threads](benchmark::State& state, Timeline timeline) {
          contended(state, timeline, threads);
        });
  }
  add("trace_start_join", start_join);
  return true;
}();

}  // namespace
