// futures::ThreadPoolExecutor: calls, threads, nested waits, map, the end.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/futures.h"
#include "tutti/queue.h"
#include "tutti/threading.h"

namespace tests {

namespace {

using namespace tutti;
using namespace std::chrono_literals;
using futures::Future;
using futures::ThreadPoolExecutor;
using threading::Event;
using threading::Phase;
using threading::Thread;

std::size_t workers_of(const std::string& prefix) {
  std::size_t count = 0;
  for (const Thread& thread : threading::enumerate()) {
    if (thread.name().starts_with(prefix)) ++count;
  }
  return count;
}

// A call that has begun, and goes on until it may end.
class LongCall {
 public:
  explicit LongCall(ThreadPoolExecutor& pool)
      : future(pool.submit([this] {
          begun_.set();
          may_end_.wait();
        })) {
    begun_.wait();
  }
  void end() { may_end_.set(); }

 private:
  Event begun_;
  Event may_end_;

 public:
  const Future<void> future;
};

TEST(ThreadPool, MakesCalls) {
  ThreadPoolExecutor pool(2);
  EXPECT_EQ(pool.submit([](int a, int b) { return a * b; }, 6, 7).result(), 42);
  EXPECT_THROW(pool.submit([] { throw std::out_of_range("no"); }).result(), std::out_of_range);
  int number = 0;
  EXPECT_EQ(&pool.submit([](int& n) -> int& { return n; }, std::ref(number)).result(), &number);
}

TEST(ThreadPool, MovesItsArguments) {
  ThreadPoolExecutor pool(1);
  auto owned = std::make_unique<int>(3);
  const auto deref = [](std::unique_ptr<int> pointer) { return *pointer; };
  EXPECT_EQ(pool.submit(deref, std::move(owned)).result(), 3);
  EXPECT_EQ(*pool.submit([] { return std::make_unique<int>(4); }).result(), 4);
}

struct Person {
  std::string name;
};

TEST(ThreadPool, ResultsOutliveTheirArguments) {
  ThreadPoolExecutor pool(1);
  const Person person{"a name too long for the object itself, so it lies on the heap"};
  EXPECT_EQ(pool.submit(&Person::name, person).result(), person.name);
  for (const std::string& name : pool.map(&Person::name, std::vector{person, person})) {
    EXPECT_EQ(name, person.name);
  }
}

TEST(ThreadPool, ArgumentsAreGoneWhenTheResultIsThere) {
  ThreadPoolExecutor pool(1);
  const auto shared = std::make_shared<int>(1);
  pool.submit([](const std::shared_ptr<int>&) {}, shared).result();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_THROW(pool.submit([](std::shared_ptr<int>) { throw 1; }, shared).result(), int);
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(ThreadPool, NeedsAWorker) {
  EXPECT_TRUE(throws<ValueError>([] { ThreadPoolExecutor(0); }, {"max_workers", "greater than 0"}));
  EXPECT_THROW(ThreadPoolExecutor(-1), ValueError);
  EXPECT_GE(ThreadPoolExecutor().max_workers(), 5u);
}

TEST(ThreadPool, StartsThreadsWhenTheyAreNeeded) {
  ThreadPoolExecutor pool(3, "Lazy");
  EXPECT_EQ(workers_of("Lazy"), 0u);
  pool.submit([] {}).result();
  EXPECT_EQ(workers_of("Lazy"), 1u);
  threading::Barrier meeting(4);
  for (int i = 0; i < 3; ++i) pool.submit([&] { meeting.wait(); });
  meeting.wait();
  EXPECT_EQ(workers_of("Lazy"), 3u);
}

TEST(ThreadPool, NamesItsThreads) {
  ThreadPoolExecutor named({.max_workers = 1, .thread_name_prefix = "Counters"});
  const auto name = [] { return threading::current_thread().name(); };
  EXPECT_EQ(named.submit(name).result(), "Counters_0");
  ThreadPoolExecutor other(1);
  EXPECT_TRUE(other.submit(name).result().starts_with("ThreadPoolExecutor-"));
  EXPECT_FALSE(other.submit([] { return threading::current_thread().daemon(); }).result());
}

TEST(ThreadPool, BeginsCallsInTheirOrder) {
  ThreadPoolExecutor pool(1);
  Journal<int> order;
  for (int i = 0; i < 200; ++i) pool.submit([&order, i] { order.add(i); });
  pool.shutdown();
  std::vector<int> expected(200);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order.entries(), expected);
}

TEST(ThreadPool, CallsFromOutsideAreNotStarvedByCallsFromInside) {
  ThreadPoolExecutor pool(1);
  std::atomic<bool> is_over = false;
  std::function<void()> again = [&] {
    if (!is_over) pool.submit(std::ref(again));
  };
  pool.submit(std::ref(again));
  pool.submit([&] { is_over = true; }).result();
  pool.shutdown();
}

TEST(ThreadPool, CancelsWhatHasNotBegun) {
  ThreadPoolExecutor pool(1);
  LongCall first(pool);
  bool was_called = false;
  const Future<void> second = pool.submit([&] { was_called = true; });
  EXPECT_TRUE(first.future.running());
  EXPECT_FALSE(first.future.cancel());
  EXPECT_TRUE(second.cancel());
  first.end();
  pool.shutdown();
  EXPECT_FALSE(was_called);
}

TEST(ThreadPool, AloneSetsTheResultsOfItsCalls) {
  ThreadPoolExecutor pool(1);
  Event may_end;
  const Future<int> future = pool.submit([&] {
    may_end.wait();
    return 1;
  });
  EXPECT_TRUE(throws<futures::InvalidStateError>([&] { future.set_result(2); }, {"of a call"}));
  EXPECT_THROW(future.set_running_or_notify_cancel(), RuntimeError);
  may_end.set();
  EXPECT_EQ(future.result(), 1);
}

TEST(ThreadPool, SystemExitIsAnExceptionLikeOthers) {
  ThreadPoolExecutor pool(1);
  EXPECT_THROW(pool.submit([] { thread::exit(); }).result(), thread::SystemExit);
  EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
}

TEST(ThreadPool, AWorkerWithoutWorkSaysSo) {
  ThreadPoolExecutor pool(1, "Idle");
  pool.submit([] {}).result();
  for (const Thread& thread : threading::enumerate()) {
    if (!thread.name().starts_with("Idle")) continue;
    until([&] { return thread.state() == Phase::blocked_in_wait_pool; });
    EXPECT_NE(thread.blocked_on().to_string().find("work for ThreadPoolExecutor"),
              std::string::npos);
  }
}

// --- waiting inside of calls ---------------------------------------------------------------------

int fibonacci(ThreadPoolExecutor& pool, int n) {
  if (n < 2) return n;
  const Future<int> first = pool.submit(fibonacci, std::ref(pool), n - 1);
  const Future<int> second = pool.submit(fibonacci, std::ref(pool), n - 2);
  return first.result() + second.result();
}

TEST(ThreadPoolNested, RecursionEndsWithOneWorker) {
  ThreadPoolExecutor pool(1, "Recursive");
  EXPECT_EQ(pool.submit(fibonacci, std::ref(pool), 25).result(), 75025);
  EXPECT_EQ(workers_of("Recursive"), 1u);
}

TEST(ThreadPoolNested, RecursionEndsWithSeveralWorkersInBoundedThreads) {
  constexpr int depth = 20;
  ThreadPoolExecutor pool(4, "Recursive");
  EXPECT_EQ(pool.submit(fibonacci, std::ref(pool), depth).result(), 6765);
  EXPECT_LE(workers_of("Recursive"), 8u) << "four, and a stand-in for each";
}

TEST(ThreadPoolNested, WaitsForTheOldestAndTheNewest) {
  ThreadPoolExecutor pool(1);
  const auto sum_backwards = [&](bool backwards) {
    std::vector<Future<int>> all;
    for (int i = 0; i < 100; ++i) all.push_back(pool.submit([i] { return i; }));
    if (backwards) std::reverse(all.begin(), all.end());
    int sum = 0;
    for (const Future<int>& one : all) sum += one.result();
    return sum;
  };
  EXPECT_EQ(pool.submit(sum_backwards, true).result(), 4950);
  EXPECT_EQ(pool.submit(sum_backwards, false).result(), 4950);
}

TEST(ThreadPoolNested, WaitAndAsCompletedAndMapWorkInACall) {
  ThreadPoolExecutor pool(1);
  const auto call = [&] {
    std::vector<Future<int>> all;
    for (int i = 0; i < 5; ++i) all.push_back(pool.submit([i] { return i; }));
    int sum = 0;
    for (const Future<int>& one : futures::as_completed(all)) sum += one.result();
    sum += static_cast<int>(futures::wait(all).done.size());
    const Future<int> last = pool.submit([] { return 100; });
    futures::wait(std::vector{last}, forever, futures::FIRST_COMPLETED);
    for (int square : pool.map([](int n) { return n * n; }, std::vector{1, 2, 3})) sum += square;
    return sum + last.result();
  };
  EXPECT_EQ(pool.submit(call).result(), 10 + 5 + 14 + 100);
}

TEST(ThreadPoolNested, AnotherThreadStepsInForOneThatWaits) {
  ThreadPoolExecutor pool(1, "Spare");
  const Future<int> outside;
  const Future<int> waiting = pool.submit([&] { return outside.result(); });
  // Only one may be at work, and it waits: this call needs another thread.
  pool.submit([&] { outside.set_result(5); }).result();
  EXPECT_EQ(waiting.result(), 5);
  EXPECT_EQ(workers_of("Spare"), 2u);
}

TEST(ThreadPoolNested, AnotherThreadStepsInForCallsThatWereThereBefore) {
  ThreadPoolExecutor pool(1);
  const Future<void> outside;
  Event may_wait;
  const Future<void> waiting = pool.submit([&] {
    may_wait.wait();
    outside.result();
  });
  const Future<void> other = pool.submit([&] { outside.set_result(); });
  may_wait.set();
  waiting.result();
  other.result();
}

TEST(ThreadPoolNested, KeepsItsTimeout) {
  ThreadPoolExecutor pool(1);
  Event may_end;
  const auto outer = [&] {
    const Future<void> inner = pool.submit([&] { may_end.wait(); });
    try {
      inner.result(1ms);
      return false;
    } catch (const TimeoutError&) {
      may_end.set();
      inner.result();
      return true;
    }
  };
  EXPECT_TRUE(pool.submit(outer).result());
}

TEST(ThreadPoolNested, WaitsOverTwoPools) {
  ThreadPoolExecutor a(1);
  ThreadPoolExecutor b(1);
  const auto call = [&] {
    return b.submit([&] { return a.submit([] { return 7; }).result(); }).result();
  };
  EXPECT_EQ(a.submit(call).result(), 7);
}

TEST(ThreadPoolNested, WaitsForAnotherPoolHaveBoundedStandIns) {
  ThreadPoolExecutor pool(2, "Bounded");
  const Future<int> outside;
  std::vector<Future<int>> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(pool.submit([&] { return outside.result(); }));
  // All that can be are under way when the last one of four has begun.
  until([&] { return workers_of("Bounded") == 4; });
  outside.set_result(1);
  for (const Future<int>& call : calls) EXPECT_EQ(call.result(), 1);
  EXPECT_EQ(workers_of("Bounded"), 4u);
}

TEST(ThreadPoolNested, DeepWaitsWithTimeoutsEndToo) {
  ThreadPoolExecutor pool(1, "Deep");
  const std::function<int(int)> call = [&](int depth) -> int {
    return depth == 0 ? 0 : 1 + pool.submit(call, depth - 1).result(60);
  };
  EXPECT_EQ(pool.submit(call, 20).result(), 20);
  EXPECT_LE(workers_of("Deep"), 2u);
}

TEST(ThreadPoolNested, TheFirstToCompleteIsNotHeldUpByTheOthers) {
  ThreadPoolExecutor pool(2);
  const auto outer = [&] {
    Event may_end;
    std::vector<Future<int>> both;
    // Run by the caller, it would never see the quick one done.
    both.push_back(pool.submit([&] {
      may_end.wait();
      return 1;
    }));
    both.push_back(pool.submit([] { return 2; }));
    const auto done = futures::wait(both, forever, futures::FIRST_COMPLETED).done;
    may_end.set();
    futures::wait(both);
    return done.front().result();
  };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(pool.submit(outer).result(), 2);
}

TEST(ThreadPoolNested, ACallThatWaitsForItselfIsToldSo) {
  ThreadPoolExecutor pool(1);
  queue::Queue<Future<int>> itself;
  const Future<int> call = pool.submit([&] { return itself.get().result(); });
  itself.put(call);
  EXPECT_TRUE(throws<DeadlockError>([&] { call.result(); }, {"its own result"}));
}

TEST(ThreadPoolNested, NoMoreAreAtWorkThanMayBe) {
  ThreadPoolExecutor pool(2);
  std::atomic<int> at_work = 0;
  std::atomic<int> most = 0;
  const std::function<void(int)> call = [&](int depth) {
    const int now = ++at_work;
    int known = most;
    while (known < now && !most.compare_exchange_weak(known, now)) {
    }
    be_busy_for(20us);
    --at_work;
    if (depth == 0) return;
    // Both are waited for with a time-out, so that others have to step in.
    const Future<void> first = pool.submit(call, depth - 1);
    const Future<void> second = pool.submit(call, depth - 1);
    first.result(60);
    second.result(60);
  };
  pool.submit(call, 6).result();
  // One more for a moment, whenever a wait ends while others have stepped in.
  EXPECT_LE(most, 2 + 7);
}

// --- map -----------------------------------------------------------------------------------------

TEST(ThreadPoolMap, GivesResultsInOrder) {
  ThreadPoolExecutor pool(3);
  std::vector<int> squares;
  for (int square : pool.map([](int n) { return n * n; }, std::vector{1, 2, 3, 4, 5}))
    squares.push_back(square);
  EXPECT_EQ(squares, (std::vector{1, 4, 9, 16, 25}));
}

TEST(ThreadPoolMap, TakesChunksBuffersAndTwoRanges) {
  ThreadPoolExecutor pool(2);
  const std::vector<int> a{1, 2, 3, 4, 5, 6, 7};
  const std::vector<std::string> b{"a", "b", "c", "d", "e"};
  const auto repeat = [](int n, const std::string& text) {
    std::string all;
    while (n-- > 0) all += text;
    return all;
  };
  const std::vector<std::string> expected{"a", "bb", "ccc", "dddd", "eeeee"};
  for (const futures::MapOptions& options : {futures::MapOptions{},
                                             {.chunksize = 2},
                                             {.chunksize = 100},
                                             {.buffersize = 1},
                                             {.chunksize = 2, .buffersize = 3}}) {
    std::vector<std::string> results;
    for (std::string& text : pool.map(repeat, a, b, options)) results.push_back(std::move(text));
    EXPECT_EQ(results, expected);
  }
}

TEST(ThreadPoolMap, SubmitsNoMoreThanItsBuffer) {
  ThreadPoolExecutor pool(1);
  int read = 0;
  std::vector<int> numbers(100);
  auto counted = numbers | std::views::transform([&](int n) {
                   ++read;
                   return n;
                 });
  auto results = pool.map([](int n) { return n; }, counted, {.buffersize = 3});
  EXPECT_EQ(read, 3);
  auto next = results.begin();
  EXPECT_EQ(read, 4);
  ++next;
  EXPECT_EQ(read, 5);
}

TEST(ThreadPoolMap, ThrowsWhereTheResultWouldBeAndEnds) {
  ThreadPoolExecutor pool(1);
  const auto reciprocal = [](int n) {
    if (n == 0) throw std::domain_error("1 / 0");
    return 1.0 / n;
  };
  for (int chunksize : {1, 10}) {
    std::vector<double> seen;
    EXPECT_TRUE(throws<std::domain_error>(
        [&] {
          for (double x : pool.map(reciprocal, std::vector{1, 2, 0, 4}, {.chunksize = chunksize})) {
            seen.push_back(x);
          }
        },
        {"1 / 0"}));
    EXPECT_EQ(seen, (std::vector{1.0, 0.5}));
  }
}

TEST(ThreadPoolMap, CancelsWhatIsNotTaken) {
  ThreadPoolExecutor pool(1);
  std::atomic<int> calls = 0;
  Event may_go_on;
  {
    const auto call = [&](int n) {
      if (n > 0) may_go_on.wait();
      ++calls;
      return n;
    };
    for ([[maybe_unused]] int n : pool.map(call, std::vector<int>{0, 1, 2, 3, 4, 5})) break;
  }
  may_go_on.set();
  pool.shutdown();
  EXPECT_LE(calls, 2) << "the first, and the one that may have begun meanwhile";
}

TEST(ThreadPoolMap, HasATimeout) {
  ThreadPoolExecutor pool(1);
  Event may_end;
  const auto wait = [&](int n) {
    may_end.wait();
    return n;
  };
  EXPECT_THROW(pool.map(wait, std::vector{1, 2}, {.timeout = 1ms}).begin(), TimeoutError);
  may_end.set();
  EXPECT_THROW(pool.map(wait, std::vector{1}, {.chunksize = 0}), ValueError);
  EXPECT_THROW(pool.map(wait, std::vector{1}, {.buffersize = 0}), ValueError);
}

TEST(ThreadPoolMap, WorksWithBoolsNothingAndNoElements) {
  ThreadPoolExecutor pool(1);
  int odd = 0;
  for (bool is_odd : pool.map([](int n) { return n % 2 == 1; }, std::vector{1, 2, 3}))
    odd += is_odd;
  EXPECT_EQ(odd, 2);
  std::atomic<int> calls = 0;
  int results = 0;
  for ([[maybe_unused]] auto nothing : pool.map([&](int) { ++calls; }, std::vector{1, 2}))
    ++results;
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(results, 2);
  for ([[maybe_unused]] int n : pool.map([](int i) { return i; }, std::vector<int>())) FAIL();
}

// --- initializer and end -------------------------------------------------------------------------

TEST(ThreadPoolInitializer, RunsOnceInEachThread) {
  Journal<std::uint64_t> idents;
  ThreadPoolExecutor pool(
      {.max_workers = 2, .initializer = [&] { idents.add(threading::get_ident()); }});
  threading::Barrier meeting(3);
  for (int i = 0; i < 2; ++i) pool.submit([&] { meeting.wait(); });
  meeting.wait();
  for (int i = 0; i < 10; ++i) pool.submit([] {}).result();
  const auto all = idents.entries();
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 2u);
  EXPECT_EQ(all.size(), 2u);
}

TEST(ThreadPoolInitializer, BreaksThePoolWhenItThrows) {
  std::vector<std::string> reported;
  const threading::ExceptHook before = threading::set_excepthook(
      [&](const threading::ExceptHookArgs& args) { reported.push_back(args.what()); });
  {
    Event may_fail;
    ThreadPoolExecutor pool(1, "Broken", [&] {
      may_fail.wait();
      throw std::runtime_error("no licence");
    });
    const Future<void> pending = pool.submit([] {});
    may_fail.set();
    EXPECT_TRUE(throws<futures::BrokenThreadPool>([&] { pending.result(); }, {"'Broken'"}));
    EXPECT_THROW(pool.submit([] {}), futures::BrokenThreadPool);
    EXPECT_THROW(pool.submit([] {}), futures::BrokenExecutor) << "is the base";
  }
  threading::set_excepthook(before);
  EXPECT_EQ(reported, (std::vector<std::string>{"no licence"}));
}

TEST(ThreadPoolShutdown, MakesAllCallsFirst) {
  std::atomic<int> calls = 0;
  {
    ThreadPoolExecutor pool(2, "Ending");
    for (int i = 0; i < 100; ++i) pool.submit([&] { ++calls; });
  }
  EXPECT_EQ(calls, 100);
  EXPECT_EQ(workers_of("Ending"), 0u);
}

TEST(ThreadPoolShutdown, AcceptsNothingAfterwards) {
  ThreadPoolExecutor pool(1, "Closed");
  pool.shutdown();
  pool.shutdown();
  EXPECT_TRUE(
      throws<RuntimeError>([&] { pool.submit([] {}); }, {"'Closed'", "after its shutdown"}));
  EXPECT_THROW(pool.map([](int n) { return n; }, std::vector{1}), RuntimeError);
}

TEST(ThreadPoolShutdown, MayNotWait) {
  ThreadPoolExecutor pool(1);
  Event may_end;
  const Future<void> call = pool.submit([&] { may_end.wait(); });
  const Future<int> next = pool.submit([] { return 1; });
  pool.shutdown({.wait = false});
  EXPECT_FALSE(call.done());
  may_end.set();
  EXPECT_EQ(next.result(), 1);
}

TEST(ThreadPoolShutdown, MayCancel) {
  ThreadPoolExecutor pool(1);
  LongCall first(pool);
  const Future<void> second = pool.submit([] {});
  pool.shutdown({.wait = false, .cancel_futures = true});
  EXPECT_TRUE(second.cancelled());
  EXPECT_FALSE(first.future.done());
  first.end();
  first.future.result();
}

TEST(ThreadPoolShutdown, CantBeWaitedForInACall) {
  ThreadPoolExecutor pool(1, "Own");
  EXPECT_TRUE(throws<DeadlockError>([&] { pool.submit([&] { pool.shutdown(); }).result(); },
                                    {"'Own'", "its own pool"}));
}

TEST(ThreadPoolShutdown, LetsCallsThatWaitGoOn) {
  ThreadPoolExecutor pool(1);
  Event begun;
  Event may_wait;
  const Future<int> outer = pool.submit([&] {
    const Future<int> inner = pool.submit([] { return 3; });
    begun.set();
    may_wait.wait();
    return inner.result(60);
  });
  begun.wait();
  pool.shutdown({.wait = false});
  may_wait.set();
  EXPECT_EQ(outer.result(), 3);
}

TEST(ThreadPoolShutdown, DestructionInAnOwnCallDoesNotWait) {
  auto pool = std::make_unique<ThreadPoolExecutor>(1);
  const Future<void> call = pool->submit([&pool] { pool.reset(); });
  call.result();
  EXPECT_EQ(pool, nullptr);
}

}  // namespace

}  // namespace tests
