// Random work for many threads at once, for as long as TUTTI_STRESS_SECONDS says (default 2, and 1
// under AddressSanitizer).
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tutti/threading/thread.h"
#include "tutti/time.h"

namespace tests {

/// One thread's source of chance.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// 0 to n - 1.
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }
  /// Up to `longest`, mostly much shorter.
  tutti::Timeout timeout(std::chrono::microseconds longest) {
    return std::chrono::microseconds(below(static_cast<int>(longest.count()) >> below(8)));
  }
  /// Computes, yields or sleeps for a moment, or does none of it.
  void dawdle();

 private:
  std::mt19937_64 engine_;
};

/// A test that runs threads until its time is over. Its seed comes from TUTTI_STRESS_SEED, or by
/// chance, and is told when the test fails.
class Stress : public testing::Test {
 protected:
  Stress();
  /// Waits for the time to be over and then for the threads.
  ~Stress() override;

  bool goes_on() const { return !is_over_.load(std::memory_order_relaxed); }
  Dice dice() { return Dice(seed_ + ++dice_made_); }

  /// Starts `n` threads that call `round(dice)` again and again until the time is over.
  void start(int n, std::function<void(Dice&)> round);
  /// What to do when the time is over, again and again until the threads have ended: for those that
  /// wait without a limit.
  void at_end(std::function<void()> let_go) { let_go_ = std::move(let_go); }
  /// Lets the time pass; then the threads finish their rounds. Threads that hang make the program
  /// abort, with a table of what each waits for.
  void run();
  /// The same with something for the main thread to do meanwhile.
  void run(const std::function<void(Dice&)>& round_of_main);

 private:
  void join_all();

  std::uint64_t seed_;
  std::atomic<std::uint64_t> dice_made_{0};
  std::chrono::steady_clock::time_point end_;
  std::atomic<bool> is_over_{false};
  std::atomic<int> running_{0};
  std::vector<tutti::threading::Thread> threads_;
  std::function<void()> let_go_ = [] {};
  testing::ScopedTrace trace_;
};

}  // namespace tests
