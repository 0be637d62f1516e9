// The stage on which a suite's claims are played: shared objects, and workers that use them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "suites/flavours.h"
#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/errors.h"
#include "tutti/time.h"

namespace tests {

template <typename Flavour>
class Stage : public testing::Test {
 public:
  /// An object that all workers see, and that lives until the test has ended.
  template <typename T, typename... Args>
  T& make(Args&&... args) {
    std::shared_ptr<T> object = Flavour::template make<T>(std::forward<Args>(args)...);
    T& made = *object;
    objects_.push_back(std::move(object));
    return made;
  }

 protected:
  using Worker = typename Flavour::Worker;

  Worker& start(std::function<void()> work) {
    workers_.push_back(std::make_unique<Worker>(std::move(work)));
    return *workers_.back();
  }

  /// Starts a worker that is going to block, and returns when it is in the lock pool.
  Worker& start_into_lock_pool(std::function<void()> work) {
    return start_into(Phase::blocked_in_lock_pool, std::move(work));
  }
  /// The same for the wait pool.
  Worker& start_into_wait_pool(std::function<void()> work) {
    return start_into(Phase::blocked_in_wait_pool, std::move(work));
  }

  static void await(const Worker& worker, Phase phase) {
    until([&] { return worker.phase() == phase; },
          std::string("a worker that is ") + tutti::threading::to_string(phase));
  }

  /// Waits until all workers have ended.
  void finish() {
    for (const std::unique_ptr<Worker>& worker : workers_) {
      worker->join();
      EXPECT_EQ(worker->failure(), "") << "is what ended a worker";
    }
    workers_.clear();
  }

  void TearDown() override {
    finish();
    while (!objects_.empty()) objects_.pop_back();
  }

 private:
  Worker& start_into(Phase phase, std::function<void()> work) {
    Worker& worker = start(std::move(work));
    await(worker, phase);
    return worker;
  }

  std::vector<std::shared_ptr<void>> objects_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace tests
