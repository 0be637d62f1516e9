// Futures and pools: a result is seen whole and once, nobody who waits is forgotten, no task is
// lost or run twice.
#include "explore/proofs/proofs.h"

#include "futures/deque.h"
#include "futures/task_list.h"

namespace tests {

using namespace tutti;
using futures::Future;

namespace {

// --- futures -------------------------------------------------------------------------------------

// A result that writes when it is made.
struct Writes {
  explicit Writes(tutti::Shared<int>& value) { value = 7; }
};

void passes_a_result() {
  const Future<Writes> future;
  tutti::Shared<int> value = 0;
  together([&] { future.set_result(value); },
           [&] {
             future.result();
             explore::require(value == 7);
           });
}

void serves_two_waiters() {
  const Future<int> future;
  const auto wait = [&] { explore::require(future.result() == 1); };
  together([&] { future.set_result(1); }, wait, wait);
}

void times_out_or_not() {
  const Future<int> future;
  bool timed_out = false;
  together(
      [&] {
        try {
          explore::require(future.result(0.001) == 1);
        } catch (const TimeoutError&) {
          timed_out = true;
        }
      },
      [&] { future.set_result(1); });
  explore::require(future.done());
}

void is_set_or_cancelled() {
  const Future<int> future;
  tutti::atomic<int> calls = 0;
  future.add_done_callback([&](const Future<int>&) { ++calls; });
  bool was_set = false;
  bool was_cancelled = false;
  together(
      [&] {
        try {
          future.set_result(1);
          was_set = true;
        } catch (const futures::InvalidStateError&) {
          // Cancelled.
        }
      },
      [&] { was_cancelled = future.cancel(); });
  explore::require(was_set != was_cancelled);
  explore::require(calls == 1);
}

void calls_back_once() {
  const Future<int> future;
  tutti::atomic<int> calls = 0;
  together([&] { future.set_result(1); },
           [&] { future.add_done_callback([&](const Future<int>&) { ++calls; }); });
  explore::require(calls == 1);
}

void waits_for_the_first() {
  const std::vector<Future<int>> both(2);
  together([&] { both[0].set_result(1); }, [&] { both[1].set_result(2); },
           [&] {
             const auto [done, not_done] = futures::wait(both, forever, futures::FIRST_COMPLETED);
             explore::require(!done.empty());
           });
}

void completes_all() {
  const std::vector<Future<int>> both(2);
  together([&] { both[0].set_result(1); }, [&] { both[1].set_result(2); },
           [&] {
             int sum = 0;
             for (const Future<int>& future : futures::as_completed(both)) sum += future.result();
             explore::require(sum == 3);
           });
}

void gathers_for_a_while() {
  const std::vector<Future<int>> one(1);
  together([&] { one[0].set_result(1); },
           [&] {
             futures::wait(one, 0.001, futures::FIRST_COMPLETED);
             // No wake is left over for the next wait.
             threading::Event never_set;
             explore::require(!never_set.wait(0.001));
           });
}

// --- what the pool is made of --------------------------------------------------------------------

// Stands for a task; only its address counts.
using Item = futures::ResultState<void>;

template <typename Call>
auto on(const void* object, Call call) {
  const platform::Operation operation("deque", object);
  return call();
}

// A deque of two items, which counts what comes out.
class DequeOfTwo {
 public:
  explicit DequeOfTwo(std::int64_t capacity) : deque_(capacity) {}

  void push_first() { push(first_); }
  void push_second() { push(second_); }
  void pop() {
    count(on(&deque_, [this] { return deque_.pop(); }));
  }
  void steal() {
    count(on(&deque_, [this] { return deque_.steal(); }));
  }
  void require_each_came_out_once() const { explore::require(taken_ == 11); }

 private:
  void push(Item& item) {
    on(&deque_, [&] { deque_.push(&item); });
  }
  void count(const futures::SharedState* item) {
    if (item != nullptr) taken_ += item == &first_ ? 1 : 10;
  }

  futures::Deque deque_;
  Item first_;
  Item second_;
  tutti::atomic<int> taken_ = 0;
};

void deque_gives_each_once() {
  DequeOfTwo deque(2);
  deque.push_first();
  together(
      [&] {
        deque.push_second();
        deque.pop();
        deque.pop();
      },
      [&] { deque.steal(); });
  deque.require_each_came_out_once();
}

void deque_gives_each_once_to_a_busy_thief() {
  DequeOfTwo deque(2);
  deque.push_first();
  deque.push_second();
  together([&] { deque.pop(); },
           [&] {
             deque.steal();
             deque.steal();
           });
  deque.pop();
  deque.pop();
  deque.require_each_came_out_once();
}

void deque_grows_under_a_thief() {
  DequeOfTwo deque(1);
  deque.push_first();
  together([&] { deque.push_second(); },
           [&] {
             deque.steal();
             deque.steal();
           });
  deque.pop();
  deque.pop();
  deque.require_each_came_out_once();
}

void deque_publishes_its_items() {
  futures::Deque deque(2);
  Item a;
  tutti::Shared<int> value = 0;
  together(
      [&] {
        value = 7;
        on(&deque, [&] { deque.push(&a); });
      },
      [&] {
        if (on(&deque, [&] { return deque.steal(); }) != nullptr) explore::require(value == 7);
      });
}

void list_keeps_its_order() {
  futures::TaskList list;
  Item a;
  Item b;
  int taken = 0;
  const auto take = [&] {
    const futures::SharedState* item = on(&list, [&] { return list.take(); });
    if (item != nullptr) explore::require(item == (taken++ == 0 ? &a : &b));
  };
  together(
      [&] {
        on(&list, [&] { list.add(a); });
        on(&list, [&] { list.add(b); });
      },
      [&] {
        take();
        take();
      });
  take();
  take();
  explore::require(taken == 2);
}

void list_serves_two() {
  futures::TaskList list;
  Item a;
  Item b;
  tutti::atomic<int> taken = 0;
  const auto take = [&] {
    const futures::SharedState* item = on(&list, [&] { return list.take(); });
    if (item != nullptr) taken += item == &a ? 1 : 10;
  };
  on(&list, [&] { list.add(a); });
  together([&] { on(&list, [&] { list.add(b); }); }, take, take);
  take();
  take();
  explore::require(taken == 11);
}

// --- pools ---------------------------------------------------------------------------------------

void pool_makes_a_call() {
  futures::ThreadPoolExecutor pool(1);
  tutti::Shared<int> value = 7;
  const Future<int> call = pool.submit([&] { return int(value); });
  explore::require(call.result() == 7);
}

void pool_makes_two_calls_one_after_the_other() {
  futures::ThreadPoolExecutor pool(1);
  const Future<int> first = pool.submit([] { return 1; });
  explore::require(first.result() == 1);
  explore::require(pool.submit([] { return 2; }).result() == 2);
}

void pool_has_two_calls_meet() {
  futures::ThreadPoolExecutor pool(2);
  threading::Event one;
  threading::Event two;
  const Future<void> first = pool.submit([&] {
    one.set();
    two.wait();
  });
  const Future<void> second = pool.submit([&] {
    two.set();
    one.wait();
  });
  first.result();
  second.result();
}

void pool_takes_calls_from_two_threads() {
  tutti::atomic<int> calls = 0;
  {
    futures::ThreadPoolExecutor pool(1);
    const auto submit = [&] { pool.submit([&] { ++calls; }); };
    together(submit, submit);
  }
  explore::require(calls == 2);
}

void pool_waits_inside() {
  futures::ThreadPoolExecutor pool(1);
  const auto outer = [&] { return pool.submit([] { return 3; }).result(); };
  explore::require(pool.submit(outer).result() == 3);
}

void pool_waits_for_a_call_from_outside() {
  futures::ThreadPoolExecutor pool(1);
  const Future<int> outside;
  const Future<int> waiting = pool.submit([&] { return outside.result(); });
  pool.submit([&] { outside.set_result(5); });
  explore::require(waiting.result() == 5);
}

void pool_cancels_or_calls() {
  tutti::atomic<int> calls = 0;
  bool was_cancelled = false;
  {
    futures::ThreadPoolExecutor pool(1);
    was_cancelled = pool.submit([&] { ++calls; }).cancel();
  }
  explore::require(calls == (was_cancelled ? 0 : 1));
}

void pool_shares_a_loop() {
  futures::ThreadPoolExecutor pool(2);
  tutti::atomic<int> sum = 0;
  futures::parallel_for(pool, 0, 2, [&](int i) { sum += 1 + i; });
  explore::require(sum == 3);
}

// The future of a call submitted to a pool that others shut down; none if that was first.
std::optional<Future<int>> submit_in_time(futures::ThreadPoolExecutor& pool) {
  try {
    return pool.submit([] { return 1; });
  } catch (const RuntimeError&) {
    return std::nullopt;
  }
}

void pool_has_made_the_call_when_it_is_shut_down() {
  futures::ThreadPoolExecutor pool(1);
  std::optional<Future<int>> call;
  together([&] { call = submit_in_time(pool); }, [&] { pool.shutdown(); });
  if (call) explore::require(call->done());
}

void pool_is_refused_or_makes_the_call() {
  futures::ThreadPoolExecutor pool(1);
  std::optional<Future<int>> call;
  together([&] { call = submit_in_time(pool); }, [&] { pool.shutdown({.wait = false}); });
  if (call) explore::require(call->result() == 1);
}

}  // namespace

std::vector<Proof> future_proofs() {
  return {
      {"future passes a result", passes_a_result, word_by_word()},
      {"future passes a result, relaxed memory", passes_a_result, relaxed_words()},
      {"future serves two who wait", serves_two_waiters, word_by_word(2)},
      {"future times out or not", times_out_or_not, any_time(word_by_word())},
      {"future is set or cancelled", is_set_or_cancelled, word_by_word()},
      {"future calls back once", calls_back_once, word_by_word()},
      {"futures waited for, the first", waits_for_the_first, word_by_word(2)},
      {"futures as completed", completes_all, word_by_word(2)},
      {"futures gathered for a while", gathers_for_a_while, any_time(word_by_word(3))},
      {"deque gives each once", deque_gives_each_once, word_by_word()},
      {"deque gives each once, relaxed memory", deque_gives_each_once, relaxed_words()},
      {"deque gives each once to a busy thief", deque_gives_each_once_to_a_busy_thief,
       word_by_word()},
      {"deque gives each once to a busy thief, relaxed memory",
       deque_gives_each_once_to_a_busy_thief, relaxed_words()},
      {"deque grows under a thief", deque_grows_under_a_thief, word_by_word()},
      {"deque grows under a thief, relaxed memory", deque_grows_under_a_thief, relaxed_words()},
      {"deque publishes its items", deque_publishes_its_items, relaxed_words()},
      {"task list keeps its order", list_keeps_its_order, word_by_word()},
      {"task list serves two", list_serves_two, word_by_word(2)},
      {"pool makes a call", pool_makes_a_call, word_by_word(3)},
      {"pool makes a call, relaxed memory", pool_makes_a_call, relaxed_words()},
      {"pool makes two calls", pool_makes_two_calls_one_after_the_other, word_by_word(2)},
      {"pool has two calls meet", pool_has_two_calls_meet, word_by_word(2)},
      {"pool takes calls from two threads", pool_takes_calls_from_two_threads, word_by_word(2)},
      {"pool waits inside", pool_waits_inside, word_by_word(2)},
      {"pool waits for a call from outside", pool_waits_for_a_call_from_outside, word_by_word(2)},
      {"pool cancels or calls", pool_cancels_or_calls, word_by_word(3)},
      {"pool shares a loop", pool_shares_a_loop, word_by_word(3)},
      {"pool has made the call when it is shut down", pool_has_made_the_call_when_it_is_shut_down,
       word_by_word(2)},
      {"pool is refused or makes the call", pool_is_refused_or_makes_the_call, word_by_word(2)},
  };
}

}  // namespace tests
