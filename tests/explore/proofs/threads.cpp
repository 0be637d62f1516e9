// Threads: join waits for the end and sees what was done; timers; interruption.
#include "explore/proofs/proofs.h"

namespace tests {

using namespace tutti;

namespace {

void joins() {
  tutti::Shared<int> value = 0;
  threading::Thread thread([&] { value = 1; });
  thread.start();
  thread.join();
  explore::require(value == 1 && !thread.is_alive());
}

void joins_from_two() {
  tutti::Shared<int> value = 0;
  threading::Thread thread([&] { value = 1; });
  thread.start();
  const auto join = [&] {
    thread.join();
    explore::require(value == 1);
  };
  together(join, join);
}

void joins_for_a_while() {
  threading::Thread thread([] { sleep(1); });
  thread.start();
  thread.join(0.5);
  thread.join();
  explore::require(!thread.is_alive());
}

void cancels_a_timer() {
  tutti::atomic<int> rings = 0;
  threading::Timer timer(0.001, [&] { ++rings; });
  timer.start();
  timer.cancel();
  timer.join();
  explore::require(rings <= 1);
}

void interrupts() {
  threading::Event never;
  threading::Thread thread([] { tutti::thread::interrupt_main(); });
  thread.start();
  try {
    never.wait();
    explore::fail("the event was never set");
  } catch (const KeyboardInterrupt&) {
    // As it should be.
  }
  thread.join();
}

}  // namespace

std::vector<Proof> thread_proofs() {
  return {
      {"thread joins", joins, word_by_word()},
      {"thread joined by two", joins_from_two, word_by_word()},
      {"thread joined for a while", joins_for_a_while, any_time(word_by_word())},
      {"timer cancelled", cancels_a_timer, any_time(word_by_word())},
      {"main interrupted", interrupts, word_by_word()},
  };
}

}  // namespace tests
