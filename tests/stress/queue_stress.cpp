// Queues under random use: histories that are judged, and accounts that must balance.
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "queue/history.h"
#include "queue/linearizable.h"
#include "stress/stress.h"
#include "tutti/errors.h"
#include "tutti/queue.h"
#include "tutti/thread.h"
#include "tutti/threading/barrier.h"

namespace tests {

using namespace std::chrono_literals;
using tutti::KeyboardInterrupt;
using tutti::queue::LifoQueue;
using tutti::queue::PriorityQueue;
using tutti::queue::Queue;
using tutti::queue::ShutDown;
using tutti::queue::SimpleQueue;
using tutti::threading::Barrier;
using tutti::threading::BrokenBarrierError;

class QueueStress : public Stress {
 protected:
  /// Round after round, all threads do their work at the same time; `between()`, before each round
  /// and after the last, runs alone.
  void in_rounds(int threads, const std::function<void()>& between,
                 const std::function<void(int thread, Dice&)>& work) {
    Barrier start_line(threads, between);
    for (int thread = 0; thread < threads; ++thread) {
      start(1, [&, thread](Dice& dice) {
        try {
          start_line.wait();
        } catch (const BrokenBarrierError&) {
          return;
        }
        work(thread, dice);
      });
    }
    // Breaks only a round that has not begun.
    at_end([&] { start_line.abort(); });
    run();
    between();
  }
};

// --- histories -----------------------------------------------------------------------------------

class QueueHistories : public QueueStress {
 protected:
  static constexpr int most_threads = 16;

  enum Kind { fifo, lifo, lowest, simple, kinds };

  struct Plan {
    Kind kind = fifo;
    int maxsize = 0;
    int threads = 2;
    /// Of each thread.
    int operations = 0;
    /// Each thread only puts or only gets.
    bool has_roles = false;
    bool ends_by_shutdown = false;

    Promise promise() const {
      const Order order = kind == lifo     ? Order::last_in_first_out
                          : kind == lowest ? Order::lowest_first
                                           : Order::first_in_first_out;
      return {order, static_cast<std::size_t>(maxsize)};
    }
  };

  static Plan plan(Dice& dice, int kinds_wanted, int operations) {
    constexpr int sizes[] = {0, 1, 2, 7, 64};
    Plan plan;
    plan.kind = static_cast<Kind>(dice.below(kinds_wanted));
    plan.threads = 2 + dice.below(most_threads - 1);
    plan.operations = operations / plan.threads;
    plan.has_roles = dice.one_in(2);
    if (plan.kind == simple) return plan;
    plan.maxsize = sizes[dice.below(5)];
    plan.ends_by_shutdown = dice.one_in(2);
    return plan;
  }

  /// Judges the history of each round; `judge` says what is wrong with it, if anything.
  void judge(const std::function<Plan(Dice&)>& make_plan,
             const std::function<std::string(const History&, const Promise&)>& judge) {
    Dice planning = dice();
    Plan plan;
    std::optional<Moments> moments;
    std::vector<Recorder> recorders;
    std::string verdict;
    std::int64_t judged = 0;
    std::int64_t too_hard = 0;
    std::int64_t operations = 0;
    const auto between = [&] {
      History history;
      for (const Recorder& recorder : recorders) {
        history.insert(history.end(), recorder.operations().begin(), recorder.operations().end());
      }
      if (!history.empty()) ++judged;
      operations += static_cast<std::int64_t>(history.size());
      try {
        if (verdict.empty()) verdict = judge(history, plan.promise());
      } catch (const TooHard&) {
        ++too_hard;
      } catch (const std::exception& error) {
        verdict = std::string(error.what()) + ":\n" + to_string(history);
      }
      plan = make_plan(planning);
      make_queue(plan);
      moments.emplace();
      recorders.clear();
      for (int thread = 0; thread < plan.threads; ++thread)
        recorders.emplace_back(*moments, thread);
    };
    in_rounds(most_threads, between, [&](int thread, Dice& dice) {
      if (thread >= plan.threads) return;
      std::visit(
          [&](auto& queue) {
            work(queue, plan, thread, dice, recorders[static_cast<std::size_t>(thread)]);
          },
          queue_);
    });
    EXPECT_EQ(verdict, "");
    EXPECT_GT(judged, 0);
    // One thread that is kept from its core while the others work is enough for that.
    EXPECT_LE(too_hard, 1 + judged / 100);
    RecordProperty("histories", std::to_string(judged));
    RecordProperty("operations", std::to_string(operations));
  }

 private:
  void make_queue(const Plan& plan) {
    switch (plan.kind) {
      case lifo:
        queue_.emplace<LifoQueue<Value>>(plan.maxsize);
        return;
      case lowest:
        queue_.emplace<PriorityQueue<Value>>(plan.maxsize);
        return;
      case simple:
        queue_.emplace<SimpleQueue<Value>>();
        return;
      default:
        queue_.emplace<Queue<Value>>(plan.maxsize);
        return;
    }
  }

  template <typename AnyQueue>
  static void work(AnyQueue& queue, const Plan& plan, int thread, Dice& dice, Recorder& recorder) {
    // Thread 0 never waits without limit, and lets go those who do.
    const bool is_patient = plan.ends_by_shutdown && thread != 0;
    for (int i = 0; i < plan.operations; ++i) {
      if (dice.one_in(8)) dice.dawdle();
      const tutti::Timeout timeout = is_patient && dice.one_in(2) ? tutti::forever
                                     : dice.one_in(2)             ? 0
                                                                  : dice.timeout(500us);
      const Value value = plan.kind == lowest ? dice.below(8) : thread * 1'000'000 + i;
      const bool puts = plan.has_roles ? thread % 2 == 0 : dice.one_in(2);
      const Outcome outcome =
          puts ? put(queue, value, timeout, dice, recorder) : get(queue, timeout, dice, recorder);
      if (outcome == Outcome::shut_down && !dice.one_in(4)) break;
    }
    if constexpr (has_shutdown<AnyQueue>) {
      if (plan.ends_by_shutdown && thread == 0) recorder.shutdown(queue, dice.one_in(2));
    }
  }

  template <typename AnyQueue>
  static Outcome put(AnyQueue& queue, Value value, tutti::Timeout timeout, Dice& dice,
                     Recorder& recorder) {
    if constexpr (has_shutdown<AnyQueue>) {
      if (dice.one_in(2)) return recorder.try_put(queue, value, timeout);
    }
    return recorder.put(queue, value, timeout);
  }
  template <typename AnyQueue>
  static Outcome get(AnyQueue& queue, tutti::Timeout timeout, Dice& dice, Recorder& recorder) {
    return dice.one_in(2) ? recorder.try_get(queue, timeout) : recorder.get(queue, timeout);
  }

  template <typename AnyQueue>
  static constexpr bool has_shutdown = !std::is_same_v<AnyQueue, SimpleQueue<Value>>;

  std::variant<Queue<Value>, LifoQueue<Value>, PriorityQueue<Value>, SimpleQueue<Value>> queue_;
};

TEST_F(QueueHistories, SmallOnesOfEveryKindAreLinearizable) {
  judge([](Dice& dice) { return plan(dice, kinds, 60); },
        [](const History& history, const Promise& promise) {
          if (is_linearizable(history, promise)) return std::string();
          return "not linearizable with a maxsize of " + std::to_string(promise.maxsize) + ":\n" +
                 to_string(history);
        });
}

TEST_F(QueueHistories, LargeOnesAreFirstInFirstOut) {
  judge([](Dice& dice) { return plan(dice, 1, 10'000); },
        [](const History& history, const Promise& promise) {
          return bad_pattern(history, promise.maxsize).value_or("");
        });
}

// --- accounts ------------------------------------------------------------------------------------

/// A multiset of numbers, by a checksum in which each is mixed well (Steele, Lea and Flood, 2014).
class Tally {
 public:
  void add(Value value) {
    auto mixed = static_cast<std::uint64_t>(value) * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    sum_.fetch_add(mixed ^ (mixed >> 31), std::memory_order_relaxed);
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  bool operator==(const Tally& other) const { return sum_ == other.sum_ && count_ == other.count_; }
  std::int64_t count() const { return count_; }

 private:
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::int64_t> count_{0};
};

/// A queue and the account of what came in and went out.
template <typename AnyQueue>
class Audited {
 public:
  template <typename... Arguments>
  explicit Audited(Arguments... arguments) : queue_(arguments...) {}

  void put(tutti::Timeout timeout) {
    const Value value = ++next_;
    try {
      queue_.put(value, true, timeout);
      in_.add(value);
    } catch (const tutti::queue::Full&) {
      // It has not come in.
    }
  }
  void get(tutti::Timeout timeout) {
    if (const std::optional<Value> value = queue_.try_get(timeout)) out_.add(*value);
  }
  void put_or_get(tutti::Timeout timeout, Dice& dice) {
    dice.one_in(2) ? put(timeout) : get(timeout);
  }
  void expect_balance() {
    const auto left = static_cast<std::int64_t>(queue_.qsize());
    EXPECT_EQ(in_.count() - out_.count(), left);
    for (std::int64_t i = 0; i < left; ++i) get(0);
    EXPECT_TRUE(queue_.empty());
    EXPECT_EQ(in_, out_);
    EXPECT_GT(in_.count(), 0);
  }

 private:
  AnyQueue queue_;
  std::atomic<Value> next_{0};
  Tally in_;
  Tally out_;
};

struct AuditedQueues {
  Audited<Queue<Value>> fifo{7};
  Audited<LifoQueue<Value>> lifo{2};
  Audited<PriorityQueue<Value>> lowest{1};
  Audited<SimpleQueue<Value>> simple;

  void use_any(tutti::Timeout timeout, Dice& dice) {
    switch (dice.below(4)) {
      case 0:
        return fifo.put_or_get(timeout, dice);
      case 1:
        return lifo.put_or_get(timeout, dice);
      case 2:
        return lowest.put_or_get(timeout, dice);
      default:
        return simple.put_or_get(timeout, dice);
    }
  }
  void expect_balance() {
    fifo.expect_balance();
    lifo.expect_balance();
    lowest.expect_balance();
    simple.expect_balance();
  }
};

TEST_F(QueueStress, SixtyFourThreadsThatGiveUpLoseAndDoubleNothing) {
  AuditedQueues queues;
  start(64, [&](Dice& dice) {
    queues.use_any(dice.timeout(2ms), dice);
    if (dice.one_in(10)) dice.dawdle();
  });
  run();
  queues.expect_balance();
}

TEST_F(QueueStress, InterruptsLoseAndDoubleNothing) {
  AuditedQueues queues;
  std::int64_t interrupted = 0;
  std::int64_t rounds = 0;
  start(1, [&](Dice& dice) {
    tutti::thread::interrupt_main();
    dice.dawdle();
  });
  start(6, [&](Dice& dice) { queues.use_any(dice.timeout(1ms), dice); });
  run([&](Dice& dice) {
    ++rounds;
    try {
      queues.use_any(dice.one_in(2) ? tutti::forever : dice.timeout(1ms), dice);
    } catch (const KeyboardInterrupt&) {
      ++interrupted;
    }
  });
  EXPECT_GT(interrupted, 0);
  EXPECT_GT(rounds, interrupted) << "some rounds must come through";
  try {
    tutti::sleep(1ms);
  } catch (const KeyboardInterrupt&) {
    // The last one was still pending.
  }
  queues.expect_balance();
}

// --- tasks ---------------------------------------------------------------------------------------

TEST_F(QueueStress, JoinReturnsOnceAllThatWasPutIsDone) {
  Queue<Value> queue(4);
  std::atomic<std::int64_t> put{0};
  std::atomic<std::int64_t> finished{0};
  std::atomic<std::int64_t> joined{0};
  std::atomic<int> wrong{0};
  const auto work_on_one = [&](tutti::Timeout timeout) {
    if (!queue.try_get(timeout)) return false;
    ++finished;
    queue.task_done();
    return true;
  };
  start(2, [&](Dice& dice) {
    Value item = 0;
    if (queue.try_put(item, dice.timeout(1ms))) ++put;
    dice.dawdle();
  });
  start(4, [&](Dice& dice) {
    work_on_one(dice.timeout(1ms));
    if (dice.one_in(4)) dice.dawdle();
  });
  start(3, [&](Dice& dice) {
    const std::int64_t before = put;
    queue.join();
    if (finished < before) ++wrong;
    ++joined;
    dice.dawdle();
  });
  at_end([&] {
    while (work_on_one(0)) {
    }
  });
  run();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(finished, put);
  EXPECT_GT(joined, 0);
  EXPECT_GT(put, 0);
  EXPECT_THROW(queue.task_done(), tutti::ValueError);
}

// --- shutdown ------------------------------------------------------------------------------------

/// Counts those that live.
class Counted {
 public:
  explicit Counted(std::atomic<std::int64_t>& alive) : alive_(alive) { ++alive_; }
  ~Counted() { --alive_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<std::int64_t>& alive_;
};

TEST_F(QueueStress, AShutdownEndsEveryWaitAndForgetsNoItem) {
  using Item = std::unique_ptr<Counted>;
  constexpr int sizes[] = {0, 1, 2, 7, 64};
  std::atomic<std::int64_t> alive{0};
  std::atomic<std::int64_t> put{0};
  std::atomic<std::int64_t> got{0};
  std::optional<Queue<Item>> queue;
  bool is_immediate = false;
  int wrong = 0;
  std::int64_t rounds = 0;
  Dice planning = dice();
  const auto between = [&] {
    if (queue) {
      if (!queue->empty() || alive != 0 || (is_immediate ? put < got : put != got)) ++wrong;
    }
    put = got = 0;
    queue.emplace(sizes[planning.below(5)]);
    is_immediate = planning.one_in(2);
    ++rounds;
  };
  in_rounds(9, between, [&](int thread, Dice& dice) {
    if (thread == 0) {
      for (int i = dice.below(20); i > 0; --i) dice.dawdle();
      queue->shutdown(is_immediate);
    } else if (thread % 2 == 0) {
      for (const Item& item : queue->items()) {
        if (item != nullptr) ++got;
      }
    } else {
      try {
        while (true) {
          queue->put(std::make_unique<Counted>(alive));
          ++put;
        }
      } catch (const ShutDown&) {
        // As it must end.
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(rounds, 1) << "at least one, with the preparation of the next";
}

}  // namespace tests
