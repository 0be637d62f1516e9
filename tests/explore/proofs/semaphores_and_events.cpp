// Semaphore and Event: no unit and no wake-up is lost, and who goes on sees what was written
// before.
#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;

namespace {

void gives_a_unit() {
  threading::Semaphore places(0);
  tutti::Shared<int> value = 0;
  together(
      [&] {
        value = 1;
        places.release();
      },
      [&] {
        places.acquire();
        explore::require(value == 1);
      });
  explore::require(places.value() == 0);
}

void gives_to_two() {
  threading::Semaphore places(0);
  const auto take = [&] { places.acquire(); };
  together(take, take, [&] {
    places.release();
    places.release();
  });
  explore::require(places.value() == 0);
}

void keeps_the_unit_of_one_that_times_out() {
  threading::Semaphore places(0);
  bool taken = false;
  together([&] { taken = places.acquire(0.001); }, [&] { places.release(); });
  explore::require(places.value() == (taken ? 0 : 1));
}

void excludes() {
  threading::Semaphore places(1);
  tutti::Shared<int> count = 0;
  const auto work = [&] {
    places.acquire();
    ++count;
    places.release();
  };
  together(work, work);
  explore::require(count == 2 && places.value() == 1);
}

void sets() {
  threading::Event event;
  tutti::Shared<int> value = 0;
  together(
      [&] {
        value = 1;
        event.set();
      },
      [&] {
        event.wait();
        explore::require(value == 1);
      });
}

void sets_for_two() {
  threading::Event event;
  const auto wait = [&] { event.wait(); };
  together(wait, wait, [&] { event.set(); });
}

// Cleared at once, a set still lets go whoever was waiting; a second set lets go the others.
void sets_and_clears() {
  threading::Event event;
  together([&] { event.wait(); },
           [&] {
             event.set();
             event.clear();
             event.set();
           });
  explore::require(event.is_set());
}

void clears_and_sets() {
  threading::Event event;
  together([&] { event.wait(); },
           [&] {
             event.clear();
             event.set();
           });
}

void clears_while_another_sets() {
  threading::Event event;
  together([&] { event.wait(); }, [&] { event.set(); },
           [&] {
             event.clear();
             event.set();
           });
}

void polls() {
  threading::Event event;
  tutti::Shared<int> value = 0;
  together(
      [&] {
        value = 1;
        event.set();
      },
      [&] {
        if (event.is_set()) explore::require(value == 1);
      });
}

void waits_for_a_while() {
  threading::Event event;
  bool in_time = false;
  together([&] { in_time = event.wait(0.001); }, [&] { event.set(); });
  explore::require(event.is_set());
  explore::require(event.wait(0));
}

}  // namespace

std::vector<Proof> semaphore_and_event_proofs() {
  return {
      {"semaphore gives a unit", gives_a_unit, word_by_word()},
      {"semaphore gives a unit, relaxed memory", gives_a_unit, relaxed_words()},
      {"semaphore gives to two", gives_to_two, word_by_word(2)},
      {"semaphore keeps the unit of a time-out", keeps_the_unit_of_one_that_times_out,
       any_time(word_by_word())},
      {"semaphore excludes", excludes, word_by_word()},
      {"event sets", sets, word_by_word()},
      {"event sets, relaxed memory", sets, relaxed_words()},
      {"event sets for two", sets_for_two, word_by_word(2)},
      {"event sets and clears", sets_and_clears, word_by_word()},
      {"event cleared, then set", clears_and_sets, word_by_word()},
      {"event cleared while another sets", clears_while_another_sets, word_by_word(2)},
      {"event polled", polls, word_by_word()},
      {"event waited for a while", waits_for_a_while, any_time(word_by_word())},
  };
}

}  // namespace tests
