// Futures and pools under random use.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "stress/stress.h"
#include "tutti/futures.h"
#include "tutti/queue.h"

namespace tests {

using namespace tutti;
using futures::Future;
using futures::ThreadPoolExecutor;

class FuturesStress : public Stress {};

// Many threads submit to one pool; each call is made once or cancelled.
TEST_F(FuturesStress, EachCallIsMadeOnceOrCancelled) {
  ThreadPoolExecutor pool(3);
  std::atomic<std::int64_t> made{0};
  std::atomic<std::int64_t> expected{0};
  start(8, [&](Dice& dice) {
    std::vector<Future<int>> calls;
    for (int i = dice.below(20); i > 0; --i) {
      calls.push_back(pool.submit([&made, i] {
        ++made;
        return i;
      }));
    }
    for (const Future<int>& call : calls) {
      if (dice.one_in(4) && call.cancel()) continue;
      if (dice.one_in(4)) continue;  // Nobody asks for it.
      try {
        call.result(dice.timeout(std::chrono::milliseconds(1)));
      } catch (const TimeoutError&) {
        // It is made all the same.
      }
    }
    for (const Future<int>& call : calls) expected += call.cancelled() ? 0 : 1;
  });
  run();
  pool.shutdown();
  EXPECT_EQ(made, expected);
}

int sum_of_tree(ThreadPoolExecutor& pool, int depth, bool has_timeout) {
  if (depth == 0) return 1;
  const Future<int> left =
      pool.submit(sum_of_tree, std::ref(pool), depth - 1, depth % 2 == 0 || has_timeout);
  const Future<int> right = pool.submit(sum_of_tree, std::ref(pool), depth - 1, has_timeout);
  if (!has_timeout) return left.result() + right.result();
  int sum = 0;
  for (const Future<int>& one : futures::as_completed({left, right}, 60)) sum += one.result();
  return sum;
}

// Calls wait for calls in all ways, in pools of all sizes that come and go.
TEST_F(FuturesStress, NestedCallsEnd) {
  std::atomic<int> wrong{0};
  start(3, [&](Dice& dice) {
    ThreadPoolExecutor pool(1 + dice.below(4));
    const int depth = dice.below(7);
    const Future<int> sum = pool.submit(sum_of_tree, std::ref(pool), depth, dice.one_in(2));
    if (sum.result() != 1 << depth) ++wrong;
    std::atomic<int> places{0};
    futures::parallel_for(pool, 0, 100,
                          [&](int) { futures::parallel_for(pool, 0, 10, [&](int) { ++places; }); });
    if (places != 1000) ++wrong;
  });
  run();
  EXPECT_EQ(wrong, 0);
}

// Pools are shut down, in all ways, while others submit: what was accepted is made or cancelled.
TEST_F(FuturesStress, ShutdownsLeaveNothingUndone) {
  struct Pool {
    ThreadPoolExecutor executor{2};
    std::atomic<int> users{0};
  };
  std::atomic<int> undone{0};
  start(3, [&](Dice& dice) {
    ThreadPoolExecutor pool(2);
    std::vector<Future<void>> accepted;
    threading::Thread submitter([&, n = dice.below(50)] {
      try {
        for (int i = 0; i < n; ++i) accepted.push_back(pool.submit([] {}));
      } catch (const RuntimeError&) {
        // It has been shut down.
      }
    });
    submitter.start();
    dice.dawdle();
    pool.shutdown({.wait = true, .cancel_futures = dice.one_in(2)});
    submitter.join();
    for (const Future<void>& call : accepted) undone += call.done() ? 0 : 1;
  });
  run();
  EXPECT_EQ(undone, 0);
}

void fulfil(const Future<int>& future, Dice& dice) {
  try {
    if (dice.one_in(5)) {
      future.cancel();
    } else if (dice.one_in(5)) {
      future.set_exception(1);
    } else {
      future.set_result(1);
    }
  } catch (const futures::InvalidStateError&) {
    // Another one was faster, or is about to set it.
  }
}

// Futures are set, cancelled, waited for and dropped by threads that know nothing of each other.
TEST_F(FuturesStress, WaitersAndCallbacksAllHear) {
  queue::Queue<Future<int>> to_set;
  std::atomic<std::int64_t> called_back{0};
  std::atomic<std::int64_t> made{0};
  std::atomic<int> unheard{0};
  start(3, [&](Dice& dice) {
    for (int i = 0; i < 100; ++i) {
      if (const auto future = to_set.try_get(dice.timeout(std::chrono::milliseconds(1)))) {
        fulfil(*future, dice);
      }
    }
  });
  start(5, [&](Dice& dice) {
    const std::vector<Future<int>> mine(static_cast<std::size_t>(1 + dice.below(10)));
    for (const Future<int>& future : mine) {
      ++made;
      if (dice.one_in(2)) to_set.put(future);
      future.add_done_callback([&](const Future<int>&) { ++called_back; });
    }
    for (const Future<int>& future : mine) {
      if (dice.one_in(2)) futures::wait({future}, 0);
      if (dice.one_in(3)) {
        futures::wait(mine, dice.timeout(std::chrono::milliseconds(1)), futures::FIRST_COMPLETED);
      }
      fulfil(future, dice);
    }
    std::size_t heard = 0;
    for ([[maybe_unused]] const auto& future : futures::as_completed(mine)) ++heard;
    if (heard != mine.size()) ++unheard;
  });
  run();
  // Those in the queue are done, since their makers have seen to that.
  EXPECT_EQ(unheard, 0);
  EXPECT_EQ(called_back, made);
}

}  // namespace tests
