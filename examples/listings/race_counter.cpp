// Two threads add to a counter, every interleaving tried: without a lock an update is lost, with
// one never.
#include <cstdio>

#include <tutti/explore.h>
#include <tutti/tutti.h>

using namespace tutti;

// Runs `add` in two threads, and wants its two additions.
template <typename Add>
void add_twice(Shared<int>& counter, Add add) {
  threading::Thread first(add);
  threading::Thread second(add);
  first.start();
  second.start();
  first.join();
  second.join();
  explore::require(counter == 2, "an update was lost");
}

int main() {
  const auto unprotected = [] {
    Shared<int> counter = 0;
    explore::name(counter, "counter");
    add_twice(counter, [&] { ++counter; });
  };
  // A race is a bug by itself; here we want to see what it does.
  const auto lost = explore::check(unprotected, {.races = false, .print = false});
  std::printf("%s\n", lost.failure->to_string().c_str());

  const auto protected_by_lock = [] {
    threading::Lock lock;
    Shared<int> counter = 0;
    add_twice(counter, [&] {
      std::scoped_lock held(lock);
      ++counter;
    });
  };
  const auto result = explore::check(protected_by_lock);
  std::printf("with the lock: %llu schedules, %s, no failure\n",
              static_cast<unsigned long long>(result.schedules),
              result.exhausted ? "all there are" : "not all");
}
