#include "stress/stress.h"

#include <cstdlib>
#include <thread>
#include <utility>

#include "support/sanitizer.h"
#include "support/until.h"
#include "tutti/errors.h"

namespace tests {

namespace {

std::uint64_t chosen_seed() {
  const char* given = std::getenv("TUTTI_STRESS_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

std::chrono::duration<double> chosen_time() {
  const char* given = std::getenv("TUTTI_STRESS_SECONDS");
  if (given != nullptr) return std::chrono::duration<double>(std::strtod(given, nullptr));
  // What threads do to each other is for ThreadSanitizer, and for builds without one, to find.
  return std::chrono::duration<double>(under_address_sanitizer ? 1.0 : 2.0);
}

}  // namespace

void Dice::dawdle() {
  switch (below(8)) {
    case 0:
      std::this_thread::yield();
      break;
    case 1:
      std::this_thread::sleep_for(std::chrono::microseconds(below(50)));
      break;
    case 2:
    case 3: {
      const auto end = SteadyClock::now() + std::chrono::microseconds(below(10));
      while (SteadyClock::now() < end) {
      }
      break;
    }
    default:
      break;
  }
}

Stress::Stress()
    : seed_(chosen_seed()),
      end_(SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(chosen_time())),
      trace_(__FILE__, __LINE__, "TUTTI_STRESS_SEED=" + std::to_string(seed_)) {}

Stress::~Stress() {
  is_over_ = true;
  join_all();
}

void Stress::start(int n, std::function<void(Dice&)> round) {
  for (int i = 0; i < n; ++i) {
    ++running_;
    threads_.emplace_back([this, round, dice = dice()]() mutable {
      while (goes_on()) round(dice);
      --running_;
    });
    threads_.back().start();
  }
}

void Stress::run() {
  run([](Dice&) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
}

void Stress::run(const std::function<void(Dice&)>& round_of_main) {
  Dice own = dice();
  while (SteadyClock::now() < end_) round_of_main(own);
  is_over_ = true;
  until(
      [this] {
        let_go_();
        return running_ == 0;
      },
      "the end of all rounds");
  join_all();
}

void Stress::join_all() {
  while (!threads_.empty()) {
    try {
      threads_.back().join();
      threads_.pop_back();
    } catch (const tutti::KeyboardInterrupt&) {
      // One of those that the test has caused.
    }
  }
}

}  // namespace tests
