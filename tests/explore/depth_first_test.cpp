// The reduction of depth-first search leaves out schedules, but no outcome: small programs drawn at
// random are run under every schedule and under the reduced set, and must show the same results.
#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <tutti/explore/gtest.h>
#include <tutti/tutti.h>

namespace tests {

namespace {

using namespace tutti;
using explore::Options;
using explore::Result;

// What one thread does; executed by `run`.
struct Instruction {
  enum Kind {
    load,
    store,
    add,
    exchange,
    lock,
    try_lock,
    release_and_wait,
    set,
    is_set,
    count
  } kind;
  unsigned object;
  int value;
};
using Program = std::vector<std::vector<Instruction>>;

Program draw_program(unsigned seed, unsigned threads, unsigned length) {
  std::mt19937 dice(seed);
  Program program(threads);
  for (auto& thread : program) {
    for (unsigned i = 0; i < length; ++i) {
      thread.push_back({static_cast<Instruction::Kind>(dice() % Instruction::count),
                        static_cast<unsigned>(dice() % 2), static_cast<int>(dice() % 3) + 1});
    }
  }
  return program;
}

// Runs the program and returns all that its threads have seen, and what is left at the end.
std::string run(const Program& program) {
  std::array<tutti::atomic<int>, 2> words{};
  std::array<threading::Lock, 2> locks;
  std::array<threading::Event, 2> events;
  std::array<threading::Semaphore, 2> places{threading::Semaphore(0), threading::Semaphore(0)};
  std::vector<std::string> seen(program.size());
  std::vector<threading::Thread> threads;
  for (std::size_t t = 0; t < program.size(); ++t) {
    threads.emplace_back([&, t] {
      for (const Instruction& next : program[t]) {
        tutti::atomic<int>& word = words[next.object];
        switch (next.kind) {
          case Instruction::load:
            seen[t] += std::to_string(word.load());
            break;
          case Instruction::store:
            word.store(next.value);
            break;
          case Instruction::add:
            seen[t] += std::to_string(word.fetch_add(next.value));
            break;
          case Instruction::exchange: {
            int expected = next.value;
            seen[t] += word.compare_exchange_strong(expected, 0) ? "y" : "n";
            break;
          }
          case Instruction::lock: {
            std::scoped_lock held(locks[next.object]);
            seen[t] += "(" + std::to_string(words[1 - next.object].load()) + ")";
            break;
          }
          case Instruction::try_lock:
            if (locks[next.object].acquire(false)) {
              word.store(next.value + 3);
              locks[next.object].release();
            } else {
              seen[t] += "-";
            }
            break;
          case Instruction::release_and_wait:
            places[next.object].release();
            places[1 - next.object].acquire(0.001 * next.value);
            break;
          case Instruction::set:
            events[next.object].set();
            break;
          case Instruction::is_set:
            seen[t] += events[next.object].is_set() ? "s" : "c";
            break;
          case Instruction::count:
            break;
        }
      }
    });
  }
  for (threading::Thread& thread : threads) thread.start();
  for (threading::Thread& thread : threads) thread.join();
  std::string all;
  for (const std::string& text : seen) all += text + "|";
  for (const auto& word : words) all += std::to_string(word.load()) + " ";
  for (const auto& place : places) all += std::to_string(place.value()) + " ";
  return all;
}

struct Outcomes {
  std::set<std::string> seen;
  Result result;
};

Outcomes explore_all(const Program& program, Options options) {
  Outcomes outcomes;
  outcomes.result = explore::check([&] { outcomes.seen.insert(run(program)); }, options);
  return outcomes;
}

void expect_nothing_lost(const Program& program, const std::string& which,
                         explore::Timeouts timeouts = explore::Timeouts::in_order) {
  const Outcomes reduced = explore_all(program, {.timeouts = timeouts});
  const Outcomes all = explore_all(program, {.preemptions = 1000, .timeouts = timeouts});
  ASSERT_TRUE(reduced.result) << which;
  ASSERT_TRUE(reduced.result.exhausted) << which;
  ASSERT_TRUE(all.result) << which;
  if (!all.result.exhausted) return;  // Too many to compare.
  EXPECT_EQ(reduced.seen, all.seen) << which;
  EXPECT_LE(reduced.result.schedules, all.result.schedules) << which;
}

TEST(DepthFirst, LosesNoOutcomeOfTwoThreads) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    expect_nothing_lost(draw_program(seed, 2, 3), "seed " + std::to_string(seed));
  }
}

TEST(DepthFirst, LosesNoOutcomeOfThreeThreads) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    expect_nothing_lost(draw_program(1000 + seed, 3, 1), "seed " + std::to_string(seed));
  }
}

}  // namespace

}  // namespace tests
