// Queue: every item once and in order, nobody overtaken or forgotten, nothing lost to a time-out or
// a shutdown.
#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;

namespace {

// Segments of one item or two, so that a proof of a few steps goes through all there is to them.
template <std::size_t slots, typename T = int>
struct SmallSegments : queue::BasicQueue<T, queue::FirstInFirstOut<T, slots>> {
  explicit SmallSegments(int maxsize = 0)
      : queue::BasicQueue<T, queue::FirstInFirstOut<T, slots>>(maxsize, "") {}
};

// An item that notices when two threads are at it at once.
class Watched {
 public:
  explicit Watched(int value) { value_ = value; }
  Watched(Watched&& other) noexcept {
    value_ = other.value_.get();
    other.value_ = 0;
  }
  Watched& operator=(Watched&&) = delete;
  int value() const { return value_; }

 private:
  tutti::Shared<int> value_ = 0;
};

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

// --- two sides -----------------------------------------------------------------------------------

// A put and a get at the same time: each by its own guard, on neighbouring segments or the same.
template <std::size_t slots>
void puts_and_gets_at_once() {
  SmallSegments<slots, Watched> q;
  q.put(Watched(1));
  together(
      [&] {
        q.put(Watched(2));
        q.put(Watched(3));
      },
      [&] {
        explore::require(q.get().value() == 1);
        explore::require(q.get().value() == 2);
      });
  explore::require(q.get().value() == 3 && q.empty());
}

// Each waits for the other all the time: the last place, the only item.
void takes_turns_in_one_place() {
  SmallSegments<1, Watched> q(1);
  together(
      [&] {
        for (int i = 1; i <= 3; ++i) q.put(Watched(i));
      },
      [&] {
        for (int i = 1; i <= 3; ++i) explore::require(q.get().value() == i);
      });
  explore::require(q.empty());
}

// A spent segment comes back while the putter looks for one.
void uses_segments_again() {
  SmallSegments<1> q;
  for (int i = 1; i <= 2; ++i) q.put(i);
  together(
      [&] {
        for (int i = 3; i <= 4; ++i) q.put(i);
      },
      [&] {
        for (int i = 1; i <= 3; ++i) explore::require(q.get() == i);
      });
  explore::require(q.get() == 4 && q.empty());
}

// Nothing waits here, so neither side knows of the other but by its index.
void never_overfills() {
  SmallSegments<2> q(1);
  int put = 0;
  int got = 0;
  together(
      [&] {
        for (int i = 0; i < 3; ++i) {
          int item = put + 1;
          if (q.try_put(item)) ++put;
          explore::require(q.qsize() <= 1);
        }
      },
      [&] {
        for (int i = 0; i < 2; ++i) {
          if (const auto item = q.try_get()) explore::require(*item == ++got);
        }
      });
  explore::require(q.qsize() == static_cast<std::size_t>(put - got));
}

void serves_a_getter_and_a_putter_from_one_line_each() {
  SmallSegments<1> q(1);
  int sum = 0;
  together([&] { q.put(1); }, [&] { q.put(2); },
           [&] {
             sum = q.get();
             sum += q.get();
           });
  explore::require(sum == 3 && q.empty());
}

template <typename Queue>
void drops_at_once_while_both_sides_work() {
  Queue q(2);
  q.put(1);
  std::size_t put = 1;
  std::size_t got = 0;
  together(
      [&] {
        try {
          q.put(2);
          ++put;
        } catch (const queue::ShutDown&) {
        }
      },
      [&] {
        try {
          q.get();
          ++got;
          q.task_done();
        } catch (const queue::ShutDown&) {
        }
      },
      [&] { q.shutdown(true); });
  explore::require(q.empty() && q.is_shutdown() && got <= put);
  q.join();
}

// task_done() knows of the puts by their index only.
void counts_tasks_while_they_come() {
  queue::Queue<int> q;
  q.put(1);
  q.get();
  together([&] { q.put(2); },
           [&] {
             q.task_done();
             if (q.try_get()) q.task_done();
           });
  const bool is_done = q.empty();
  if (!is_done) {
    q.get();
    q.task_done();
  }
  q.join();
  try {
    q.task_done();
    explore::require(false, "done once too often");
  } catch (const ValueError&) {
  }
}

void joins_while_tasks_come() {
  queue::Queue<int> q;
  q.put(1);
  tutti::Shared<int> done = 0;
  together(
      [&] {
        q.get();
        q.put(2);
        q.task_done();
        q.get();
        done = 1;
        q.task_done();
      },
      [&] {
        q.join();
        explore::require(done == 1);
      });
}

void takes_batches_on_both_sides() {
  SmallSegments<2> q(2);
  std::vector<int> got;
  together(
      [&] {
        q.put_many({1, 2, 3});
      },
      [&] {
        while (got.size() < 3) {
          for (const int item : q.get_many(2)) got.push_back(item);
        }
      });
  explore::require(got == std::vector<int>{1, 2, 3} && q.empty());
}

template <typename Queue>
void one_guard_for_both_sides() {
  Queue q(1);
  int sum = 0;
  together(
      [&] {
        q.put(1);
        q.put(2);
      },
      [&] {
        sum = q.get();
        sum += q.get();
      });
  explore::require(sum == 3 && q.empty());
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
      {"queue puts and gets at once, segments of one", puts_and_gets_at_once<1>, word_by_word()},
      {"queue puts and gets at once, segments of two", puts_and_gets_at_once<2>, word_by_word()},
      {"queue puts and gets at once, relaxed memory", puts_and_gets_at_once<1>, relaxed_words()},
      {"queue takes turns in one place", takes_turns_in_one_place, word_by_word(2)},
      {"queue takes turns in one place, relaxed memory", takes_turns_in_one_place, relaxed_words()},
      {"queue uses segments again", uses_segments_again, word_by_word()},
      {"queue never overfills", never_overfills, word_by_word()},
      {"queue never overfills, relaxed memory", never_overfills, relaxed_words()},
      {"queue serves a line at each side", serves_a_getter_and_a_putter_from_one_line_each,
       word_by_word(2)},
      {"queue drops its items at once", drops_at_once_while_both_sides_work<SmallSegments<1>>,
       word_by_word(2)},
      {"lifo queue drops its items at once",
       drops_at_once_while_both_sides_work<queue::LifoQueue<int>>, word_by_word(2)},
      {"queue counts tasks while they come", counts_tasks_while_they_come, word_by_word()},
      {"queue joins while tasks come", joins_while_tasks_come, word_by_word()},
      {"queue takes batches on both sides", takes_batches_on_both_sides, word_by_word(2)},
      {"lifo queue has one guard", one_guard_for_both_sides<queue::LifoQueue<int>>,
       word_by_word(2)},
      {"priority queue has one guard", one_guard_for_both_sides<queue::PriorityQueue<int>>,
       word_by_word(2)},
  };
}

}  // namespace tests
