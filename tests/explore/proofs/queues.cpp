// Queue: every item once and in order, nobody overtaken or forgotten, nothing lost to a time-out or
// a shutdown.
#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;

namespace {

void passes_an_item() {
  queue::Queue<int> q;
  tutti::Shared<int> value = 0;
  together(
      [&] {
        value = 7;
        q.put(1);
      },
      [&] {
        explore::require(q.get() == 1);
        explore::require(value == 7);
      });
  explore::require(q.empty());
}

void passes_two_in_order() {
  queue::Queue<int> q(1);
  together(
      [&] {
        q.put(1);
        q.put(2);
      },
      [&] {
        explore::require(q.get() == 1);
        explore::require(q.get() == 2);
      });
}

void serves_two_getters() {
  queue::Queue<int> q;
  tutti::atomic<int> sum = 0;
  const auto get = [&] { sum += q.get(); };
  together(get, get, [&] {
    q.put(1);
    q.put(2);
  });
  explore::require(sum == 3 && q.empty());
}

void keeps_the_item_of_a_getter_that_times_out() {
  queue::Queue<int> q;
  std::optional<int> got;
  together([&] { got = q.try_get(0.001); }, [&] { q.put(1); });
  explore::require(q.qsize() == (got ? 0u : 1u));
}

void keeps_the_item_of_a_putter_that_times_out() {
  queue::Queue<int> q(1);
  q.put(1);
  bool was_put = false;
  together(
      [&] {
        int item = 2;
        was_put = q.try_put(item, 0.001);
      },
      [&] { explore::require(q.get() == 1); });
  explore::require(q.qsize() == (was_put ? 1u : 0u));
}

void shuts_down_under_a_getter() {
  queue::Queue<int> q;
  bool got = false;
  bool ended = false;
  together(
      [&] {
        try {
          q.get();
          got = true;
          q.get();
        } catch (const queue::ShutDown&) {
          ended = true;
        }
      },
      [&] {
        q.put(1);
        q.shutdown();
      });
  explore::require(got && ended);
}

void shuts_down_under_a_putter() {
  queue::Queue<int> q(1);
  q.put(1);
  bool was_refused = false;
  together(
      [&] {
        try {
          q.put(2);
        } catch (const queue::ShutDown&) {
          was_refused = true;
        }
      },
      [&] { q.shutdown(true); });
  explore::require(was_refused && q.empty());
}

void joins_its_tasks() {
  queue::Queue<int> q;
  tutti::Shared<int> done = 0;
  q.put(1);
  together(
      [&] {
        q.get();
        done = 1;
        q.task_done();
      },
      [&] {
        q.join();
        explore::require(done == 1);
      });
}

// Who was put first comes out first, whoever looks: nobody finds an empty queue after a put that
// came before, unless another one took the item.
void is_linearizable() {
  queue::Queue<int> q;
  std::optional<int> first;
  std::optional<int> second;
  together([&] { q.put(1); },
           [&] {
             q.put(2);
             second = q.try_get();
           },
           [&] { first = q.try_get(); });
  explore::require(second.has_value() || first == 2);
  explore::require(!second || first != second);
  const std::size_t taken = (second ? 1u : 0u) + (first ? 1u : 0u);
  explore::require(q.qsize() == 2 - taken);
}

}  // namespace

std::vector<Proof> queue_proofs() {
  return {
      {"queue passes an item", passes_an_item, word_by_word()},
      {"queue passes an item, relaxed memory", passes_an_item, relaxed_words()},
      {"queue passes two in order", passes_two_in_order, word_by_word(2)},
      {"queue serves two getters", serves_two_getters, word_by_word(1)},
      {"queue keeps the item of a get that times out", keeps_the_item_of_a_getter_that_times_out,
       any_time(word_by_word())},
      {"queue keeps the item of a put that times out", keeps_the_item_of_a_putter_that_times_out,
       any_time(word_by_word())},
      {"queue shuts down under a getter", shuts_down_under_a_getter, word_by_word(2)},
      {"queue shuts down under a putter", shuts_down_under_a_putter, word_by_word()},
      {"queue joins its tasks", joins_its_tasks, word_by_word()},
      {"queue is linearizable", is_linearizable, word_by_word(2)},
  };
}

}  // namespace tests
