// futures::Future: results, exceptions, cancelling, callbacks.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/futures.h"
#include "tutti/threading.h"

namespace tests {

namespace {

using namespace tutti;
using namespace std::chrono_literals;
using futures::Future;
using threading::Phase;
using threading::Thread;

TEST(Future, BeginsPending) {
  const Future<int> future;
  EXPECT_FALSE(future.done());
  EXPECT_FALSE(future.running());
  EXPECT_FALSE(future.cancelled());
}

TEST(Future, HasTheResultThatWasSet) {
  const Future<std::string> future;
  future.set_result("done");
  EXPECT_TRUE(future.done());
  EXPECT_EQ(future.result(), "done");
  EXPECT_EQ(future.result(0), "done") << "as often as one likes";
  EXPECT_EQ(future.exception(), nullptr);
}

TEST(Future, ThrowsTheExceptionThatWasSet) {
  const Future<int> future;
  future.set_exception(std::out_of_range("seventh of six"));
  EXPECT_TRUE(future.done());
  EXPECT_TRUE(throws<std::out_of_range>([&] { future.result(); }, {"seventh of six"}));
  EXPECT_NE(future.exception(), nullptr);
}

TEST(Future, KeepsNothingReferencesAndMoveOnlyResults) {
  const Future<void> nothing;
  nothing.set_result();
  nothing.result();

  int number = 1;
  const Future<int&> reference;
  reference.set_result(number);
  reference.result() = 2;
  EXPECT_EQ(number, 2);

  Future<std::unique_ptr<int>> pointer;
  pointer.set_result(std::make_unique<int>(3));
  EXPECT_EQ(*pointer.result(), 3);
  const std::unique_ptr<int> moved = std::move(pointer).result();
  EXPECT_EQ(*moved, 3);
}

TEST(Future, IsAHandle) {
  const Future<int> future;
  const Future<int> same = future;
  EXPECT_EQ(future, same);
  EXPECT_FALSE(future == Future<int>());
  future.set_result(1);
  EXPECT_EQ(same.result(), 1);
}

TEST(Future, IsNotDoneInTime) {
  const Future<int> future;
  EXPECT_TRUE(throws<TimeoutError>([&] { future.result(0); }, {"Future at"}));
  EXPECT_TRUE(
      throws<TimeoutError>([&] { future.result(1ms); }, {"not done in time", "MainThread"}));
  EXPECT_THROW(future.exception(-1), TimeoutError);
  future.set_result(1);
  EXPECT_EQ(future.result(), 1);
}

TEST(Future, AllThreadsThatWaitGoOn) {
  const Future<int> future;
  Journal<int> results;
  std::vector<Thread> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.emplace_back([&] { results.add(future.result()); });
    waiting.back().start();
  }
  for (Thread& thread : waiting) {
    until([&] { return thread.state() == Phase::blocked_in_wait_pool; });
    EXPECT_EQ(thread.blocked_on().object, static_cast<void*>(&future.state()));
    EXPECT_NE(thread.blocked_on().to_string().find("Future at"), std::string::npos);
  }
  future.set_result(7);
  for (Thread& thread : waiting) thread.join();
  EXPECT_EQ(results.count(7), 5u);
}

TEST(Future, AWaitThatTimesOutLeavesTheOthersWaiting) {
  const Future<int> future;
  Thread other([&] { EXPECT_EQ(future.result(), 1); });
  other.start();
  until([&] { return other.state() == Phase::blocked_in_wait_pool; });
  EXPECT_THROW(future.result(1ms), TimeoutError);
  EXPECT_TRUE(other.is_alive());
  future.set_result(1);
  other.join();
}

TEST(Future, CanBeCancelledWhilePending) {
  const Future<int> future;
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancelled());
  EXPECT_TRUE(future.done());
  EXPECT_TRUE(future.cancel()) << "again";
  EXPECT_TRUE(throws<futures::CancelledError>([&] { future.result(); }, {"was cancelled"}));
  EXPECT_THROW(future.exception(), futures::CancelledError);
}

TEST(Future, CantBeCancelledOnceRunningOrDone) {
  const Future<int> future;
  EXPECT_TRUE(future.set_running_or_notify_cancel());
  EXPECT_TRUE(future.running());
  EXPECT_FALSE(future.cancel());
  future.set_result(1);
  EXPECT_FALSE(future.running());
  EXPECT_FALSE(future.cancel());
}

TEST(Future, TellsWhoeverWouldRunItThatItWasCancelled) {
  const Future<int> future;
  future.cancel();
  EXPECT_FALSE(future.set_running_or_notify_cancel());
  EXPECT_THROW(future.set_running_or_notify_cancel(), RuntimeError);
}

TEST(Future, IsSetOnce) {
  const Future<int> future;
  future.set_result(1);
  EXPECT_TRUE(
      throws<futures::InvalidStateError>([&] { future.set_result(2); }, {"has been set before"}));
  EXPECT_THROW(future.set_exception(1), futures::InvalidStateError);
  EXPECT_THROW(future.set_running_or_notify_cancel(), RuntimeError);
  EXPECT_EQ(future.result(), 1);

  const Future<int> cancelled;
  cancelled.cancel();
  EXPECT_TRUE(
      throws<futures::InvalidStateError>([&] { cancelled.set_result(2); }, {"was cancelled"}));
  EXPECT_THROW(cancelled.set_exception(std::exception_ptr()), ValueError);
}

struct ThrowsWhenMade {
  explicit ThrowsWhenMade(bool does) {
    if (does) throw std::runtime_error("not made");
  }
};

TEST(Future, IsAsBeforeWhenItsResultCantBeMade) {
  const Future<ThrowsWhenMade> future;
  EXPECT_TRUE(throws<std::runtime_error>([&] { future.set_result(true); }, {"not made"}));
  EXPECT_FALSE(future.done());
  EXPECT_FALSE(future.running());
  future.set_running_or_notify_cancel();
  EXPECT_TRUE(throws<std::runtime_error>([&] { future.set_result(true); }, {"not made"}));
  EXPECT_TRUE(future.running());
  future.set_result(false);
  EXPECT_TRUE(future.done());
}

TEST(Future, CallsBackInOrder) {
  const Future<int> future;
  std::vector<int> calls;
  for (int i = 1; i <= 3; ++i) {
    future.add_done_callback(
        [&calls, i](const Future<int>& done) { calls.push_back(i * done.result()); });
  }
  EXPECT_TRUE(calls.empty());
  future.set_result(10);
  EXPECT_EQ(calls, (std::vector{10, 20, 30}));
  future.add_done_callback([&calls](const Future<int>&) { calls.push_back(4); });
  EXPECT_EQ(calls.back(), 4) << "at once when it is done";
}

TEST(Future, CallsBackWhenCancelledAndWithMoveOnlyFunctions) {
  const Future<void> future;
  bool was_cancelled = false;
  future.add_done_callback([&, owned = std::make_unique<int>(1)](Future<void> done) {
    was_cancelled = done.cancelled();
  });
  future.cancel();
  EXPECT_TRUE(was_cancelled);
}

TEST(Future, ReportsWhatACallbackThrowsAndGoesOn) {
  std::vector<std::string> reported;
  const threading::ExceptHook before =
      threading::set_excepthook([&](const threading::ExceptHookArgs& args) {
        reported.push_back(args.exc_type + ": " + args.what());
      });
  const Future<int> future;
  bool second = false;
  future.add_done_callback([](const Future<int>&) { throw std::logic_error("in a callback"); });
  future.add_done_callback([&](const Future<int>&) { second = true; });
  future.set_result(1);
  future.add_done_callback([](const Future<int>&) { throw std::logic_error("late"); });
  threading::set_excepthook(before);
  EXPECT_EQ(reported, (std::vector<std::string>{"std::logic_error: in a callback",
                                                "std::logic_error: late"}));
  EXPECT_TRUE(second);
}

TEST(Future, DropsCallbacksThatAreNeverCalled) {
  const auto owned = std::make_shared<int>(1);
  {
    const Future<int> future;
    for (int i = 0; i < 3; ++i) future.add_done_callback([owned](const Future<int>&) {});
    EXPECT_EQ(owned.use_count(), 4);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(Future, ACallbackMayUseTheFuture) {
  const Future<int> future;
  int total = 0;
  future.add_done_callback([&](const Future<int>& done) {
    done.add_done_callback([&](const Future<int>& again) { total += again.result(); });
    EXPECT_FALSE(done.cancel());
    total += done.result();
  });
  future.set_result(2);
  EXPECT_EQ(total, 4);
}

TEST(Future, ACallbackMayDropTheLastHandle) {
  for (const bool cancels : {false, true}) {
    auto handle = std::make_unique<Future<int>>();
    int calls = 0;
    handle->add_done_callback([&](const Future<int>&) { handle.reset(); });
    handle->add_done_callback([&](const Future<int>&) { ++calls; });
    if (cancels) {
      handle->cancel();
    } else {
      handle->set_result(1);
    }
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(handle, nullptr);
  }
}

TEST(Future, IsAKey) {
  std::unordered_map<Future<int>, std::string> names;
  const Future<int> one;
  const Future<int> two;
  names[one] = "one";
  names[two] = "two";
  EXPECT_EQ(names[Future<int>(one)], "one");
  EXPECT_EQ(names.size(), 2u);
}

TEST(Future, IsSetByOneOfManyThreads) {
  for (int round = 0; round < 100; ++round) {
    const Future<int> future;
    Journal<int> winners;
    std::vector<Thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        try {
          if (i == 3) {
            if (future.cancel()) winners.add(i);
          } else {
            future.set_result(i);
            winners.add(i);
          }
        } catch (const futures::InvalidStateError&) {
          // Another one was first.
        }
      });
    }
    for (Thread& thread : threads) thread.start();
    for (Thread& thread : threads) thread.join();
    ASSERT_EQ(winners.size(), 1u);
    const int winner = winners.entries().front();
    if (winner == 3) {
      EXPECT_TRUE(future.cancelled());
    } else {
      EXPECT_EQ(future.result(), winner);
    }
  }
}

// --- several at a time ---------------------------------------------------------------------------

TEST(FutureWait, ReturnsAllWhenAllAreDone) {
  std::vector<Future<int>> all(3);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].set_result(static_cast<int>(i));
  const auto [done, not_done] = futures::wait(all);
  EXPECT_EQ(done, all);
  EXPECT_TRUE(not_done.empty());
}

TEST(FutureWait, ReturnsAtTheTimeoutWhatIsDone) {
  std::vector<Future<int>> all(3);
  all[1].set_result(1);
  const auto [done, not_done] = futures::wait(all, 1ms);
  EXPECT_EQ(done, (std::vector{all[1]}));
  EXPECT_EQ(not_done, (std::vector{all[0], all[2]}));
}

TEST(FutureWait, ReturnsAtTheFirst) {
  std::vector<Future<int>> all(3);
  Thread setter([&] { all[2].set_result(1); });
  setter.start();
  const auto [done, not_done] = futures::wait(all, forever, futures::FIRST_COMPLETED);
  setter.join();
  EXPECT_EQ(done, (std::vector{all[2]}));
  EXPECT_EQ(not_done.size(), 2u);
}

TEST(FutureWait, ReturnsAtTheFirstException) {
  std::vector<Future<int>> all(4);
  all[0].set_result(1);
  all[3].cancel();
  EXPECT_EQ(futures::wait(all, 1ms, futures::FIRST_EXCEPTION).done.size(), 2u)
      << "neither a result nor a cancelled one is an exception";
  Thread setter([&] { all[1].set_exception(1); });
  setter.start();
  EXPECT_EQ(futures::wait(all, forever, futures::FIRST_EXCEPTION).not_done, (std::vector{all[2]}));
  setter.join();
}

TEST(FutureWait, TakesEachOnce) {
  const Future<int> one;
  const Future<int> two;
  one.set_result(1);
  two.cancel();
  EXPECT_EQ(futures::wait(std::vector{one, two, one, one, two}).done, (std::vector{one, two}));
  EXPECT_EQ(futures::wait({two, one}).done, (std::vector{two, one}));
  EXPECT_TRUE(futures::wait(std::vector<Future<int>>()).done.empty());
}

TEST(FutureWait, LeavesNothingBehindWhenItTimesOut) {
  std::vector<Future<int>> all(2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(futures::wait(all, 1ms, futures::FIRST_COMPLETED).done.size(), 0u);
  }
  all[0].set_result(1);
  EXPECT_EQ(futures::wait(all, 1ms, futures::FIRST_COMPLETED).done.size(), 1u);
}

TEST(AsCompleted, GivesThemInTheOrderInWhichTheyAreDone) {
  std::vector<Future<int>> all(4);
  all[2].set_result(2);
  Thread setter([&] {
    all[3].set_result(3);
    all[0].cancel();
    all[1].set_exception(1);
  });
  std::vector<Future<int>> order;
  for (const Future<int>& future : futures::as_completed(all)) {
    // Those that are done before are in the order of the range.
    if (order.empty()) setter.start();
    order.push_back(future);
  }
  setter.join();
  EXPECT_EQ(order, (std::vector{all[2], all[3], all[0], all[1]}));
}

TEST(AsCompleted, ThrowsWhenSomeAreNotDoneInTime) {
  std::vector<Future<int>> all(3);
  all[0].set_result(0);
  int seen = 0;
  EXPECT_TRUE(throws<TimeoutError>(
      [&] {
        for ([[maybe_unused]] const auto& future : futures::as_completed(all, 1ms)) ++seen;
      },
      {"2 (of 3) futures unfinished"}));
  EXPECT_EQ(seen, 1);
}

TEST(AsCompleted, MayBeLeftInTheMiddle) {
  std::vector<Future<int>> all(3);
  all[0].set_result(0);
  for ([[maybe_unused]] const auto& future : futures::as_completed(all)) break;
  all[1].set_result(1);
}

// --- bridges -------------------------------------------------------------------------------------

TEST(StdFuture, GetsWhatAFutureGets) {
  const Future<int> future;
  std::future<int> standard = futures::to_std(future);
  future.set_result(7);
  EXPECT_EQ(standard.get(), 7);

  const Future<void> failed;
  std::future<void> failure = futures::to_std(failed);
  failed.set_exception(std::out_of_range("no"));
  EXPECT_THROW(failure.get(), std::out_of_range);

  const Future<int> cancelled;
  cancelled.cancel();
  EXPECT_THROW(futures::to_std(cancelled).get(), futures::CancelledError);
}

TEST(StdFuture, IsWaitedForByAnExecutor) {
  futures::ThreadPoolExecutor pool(1);
  std::promise<int> promise;
  const Future<int> future = futures::from_std(pool, promise.get_future());
  promise.set_value(3);
  EXPECT_EQ(future.result(), 3);
}

#if defined(__cpp_impl_coroutine)

Future<int> add(Future<int> a, Future<int> b) {
  co_return co_await a + co_await b;
}

Future<void> wait_for(Future<int> future) {
  co_await future;
}

TEST(Coroutine, WaitsForFutures) {
  const Future<int> a;
  const Future<int> b;
  const Future<int> sum = add(a, b);
  EXPECT_TRUE(sum.running());
  EXPECT_FALSE(sum.cancel());
  b.set_result(2);
  EXPECT_FALSE(sum.done());
  a.set_result(1);
  EXPECT_EQ(sum.result(0), 3) << "it goes on in the thread that sets what it waits for";
}

TEST(Coroutine, PassesExceptionsOn) {
  const Future<int> future;
  const Future<void> done = wait_for(future);
  future.set_exception(std::out_of_range("no"));
  EXPECT_THROW(done.result(0), std::out_of_range);
  const Future<int> cancelled;
  cancelled.cancel();
  EXPECT_THROW(wait_for(cancelled).result(0), futures::CancelledError);
}

struct SetsWhenGone {
  ~SetsWhenGone() { is_gone = true; }
  bool& is_gone;
};

Future<bool*> with_local(bool& is_gone, Future<void> until) {
  const SetsWhenGone local{is_gone};
  co_await until;
  co_return &is_gone;
}

TEST(Coroutine, IsDoneWhenItsLocalsAreGone) {
  bool is_gone = false;
  const Future<void> until;
  const Future<bool*> done = with_local(is_gone, until);
  bool was_gone = false;
  done.add_done_callback([&](const Future<bool*>& future) { was_gone = *future.result(); });
  EXPECT_THROW(done.set_result(nullptr), futures::InvalidStateError) << "it is the coroutine's";
  until.set_result();
  EXPECT_TRUE(was_gone);
}

Future<std::unique_ptr<std::string>> name_of_worker(futures::Executor& executor) {
  co_await futures::resume_on(executor);
  co_return std::make_unique<std::string>(threading::current_thread().name());
}

TEST(Coroutine, GoesOnInAPool) {
  futures::ThreadPoolExecutor pool(1, "Pool");
  EXPECT_EQ(*name_of_worker(pool).result(), "Pool_0");
  pool.shutdown();
  EXPECT_THROW(name_of_worker(pool).result(), RuntimeError);
}

Future<int> fibonacci(futures::ThreadPoolExecutor& pool, int n) {
  if (n < 2) co_return n;
  co_await futures::resume_on(pool);
  const Future<int> first = fibonacci(pool, n - 1);
  const Future<int> second = fibonacci(pool, n - 2);
  co_return co_await first + co_await second;
}

TEST(Coroutine, RecursesWithoutHoldingThreads) {
  futures::ThreadPoolExecutor pool(2);
  EXPECT_EQ(fibonacci(pool, 15).result(), 610);
}

#endif

}  // namespace

}  // namespace tests
