// In which order locks are taken: see tests/sync/lock_order_test.cpp.
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "programs/program.h"
#include "tutti/tutti.h"

// ThreadSanitizer looks for the same.
extern "C" const char* __tsan_default_options() {
  return "detect_deadlocks=0";
}

namespace {

using namespace program;
namespace inspect = tutti::inspect;
namespace threading = tutti::threading;
using threading::Condition;
using threading::Lock;
using threading::RLock;
using threading::Thread;

void in_thread(const char* name, std::function<void()> work) {
  Thread thread({.target = std::move(work), .name = name});
  thread.start();
  thread.join();
}

template <typename First, typename Second>
void take(First& first, Second& second) {
  first.acquire();
  second.acquire();
  second.release();
  first.release();
}

std::size_t reports() {
  return inspect::lock_order_reports().size();
}

int two_locks() {
  Lock current{"current"};
  Lock savings{"savings"};
  in_thread("Pay", [&] { take(current, savings); });
  check(reports() == 0, "one order is all right");
  in_thread("Save", [&] { take(savings, current); });
  const auto all = inspect::lock_order_reports();
  check(all.size() == 1, "two are not");
  check(all[0].steps.size() == 2, "it has two steps");
  const auto& [thread, held, taken, held_at, taken_at] = all[0].steps[0];
  check(thread == "Save" && held == "Lock 'savings'" && taken == "Lock 'current'", "the last one");
  check(held_at.starts_with("program_lock_order.cpp:") && held_at != taken_at, "and where");
  check(all[0].steps[1].thread == "Pay" && all[0].steps[1].taken == "Lock 'savings'",
        "and what it does not fit with");
  return 0;
}

int again_and_again() {
  for (int i = 0; i < 3; ++i) {
    Lock a;
    Lock b;
    take(a, b);
    for (int n = 0; n < 3; ++n) take(b, a);
  }
  check(reports() == 1, "the same places are told once");
  return 0;
}

int ring_of_three() {
  Lock a{"a"};
  RLock b{"b"};
  Lock c{"c"};
  take(a, b);
  take(b, c);
  check(reports() == 0, "so far there is an order");
  take(c, a);
  const auto all = inspect::lock_order_reports();
  check(all.size() == 1 && all[0].steps.size() == 3, "now there is none");
  return 0;
}

int without_waiting() {
  Lock a;
  Lock b;
  take(a, b);
  b.acquire();
  check(a.acquire(false), "it is free");
  a.release();
  check(a.acquire(5.0), "still");
  a.release();
  b.release();
  check(reports() == 0, "a wait that ends is no deadlock");
  check(a.acquire(false), "what is taken so");
  b.acquire();
  b.release();
  a.release();
  check(reports() == 0, "is in order");
  check(b.acquire(false), "or out of order");
  a.acquire();
  a.release();
  b.release();
  check(reports() == 1, "like anything that is held");
  return 0;
}

int all_at_once() {
  Lock a;
  Lock b;
  RLock c;
  { const std::scoped_lock held(a, b, c); }
  { const std::scoped_lock held(c, b, a); }
  { const std::scoped_lock held(b, c, a); }
  check(reports() == 0, "std::scoped_lock gives back what it has");
  return 0;
}

int levels() {
  RLock outer;
  RLock inner;
  outer.acquire();
  inner.acquire();
  outer.acquire();
  outer.release();
  inner.release();
  outer.release();
  check(reports() == 0, "an owner does not wait for itself");
  return 0;
}

int gate() {
  Lock gate{"gate"};
  Lock a{"a"};
  Lock b{"b"};
  {
    const std::scoped_lock held(gate);
    take(a, b);
    take(b, a);
  }
  check(reports() == 0, "one thread at a time passes the gate");
  take(a, b);
  check(reports() == 1, "but who goes round it may meet whoever has passed");
  return 0;
}

int two_gates() {
  Lock left{"left"};
  Lock right{"right"};
  Lock a{"a"};
  Lock b{"b"};
  left.acquire();
  take(a, b);
  left.release();
  right.acquire();
  take(b, a);
  right.release();
  check(reports() == 1, "who passes different gates may meet");
  return 0;
}

int condition() {
  Condition changed{"changed"};
  Lock items{"items"};
  changed.acquire();
  items.acquire();
  check(!changed.wait(0.001), "nobody notifies");
  items.release();
  changed.release();
  check(reports() == 1, "it was taken again while another lock was held");
  return 0;
}

int condition_with_one_lock() {
  Lock outer;
  Condition changed;
  Thread notifier([&] {
    const std::scoped_lock held(changed);
    changed.notify();
  });
  take(outer, changed);
  {
    const std::scoped_lock held(changed);
    notifier.start();
    changed.wait();
    changed.wait(0.001);
  }
  notifier.join();
  check(reports() == 0, "waiting for a condition is in order");
  return 0;
}

int destroyed() {
  alignas(Lock) std::byte place[sizeof(Lock)];
  Lock other;
  const auto with_lock = [&](auto use) {
    auto* const lock = std::construct_at(reinterpret_cast<Lock*>(place));
    use(*lock);
    std::destroy_at(lock);
  };
  with_lock([&](Lock& lock) { take(lock, other); });
  with_lock([&](Lock& lock) { take(other, lock); });
  check(reports() == 0, "they were two");
  return 0;
}

int signal() {
  Lock done;
  Lock data;
  take(done, data);
  done.acquire();
  in_thread("Worker", [&] { done.release(); });
  done.acquire();  // By nobody in particular.
  {
    const std::scoped_lock held(data);
    in_thread("Worker", [&] { done.release(); });
    done.acquire();
  }
  check(reports() == 0, "a signal is not owned");
  return 0;
}

int allowed() {
  Lock a;
  Lock b;
  inspect::allow_order(b, a);
  take(a, b);
  take(b, a);
  check(reports() == 0, "it was said to be all right");
  Lock c;
  Lock d;
  take(c, d);
  take(d, c);
  check(reports() == 1, "of these it was not");
  return 0;
}

// Locks come and go by the thousand; what they tell of must not pile up.
int many() {
  constexpr int count = 30'000;
  std::deque<Lock> locks(count);
  Lock outer;
  const std::scoped_lock held(outer);
  for (Lock& lock : locks) {
    lock.acquire();
    lock.release();
  }
  take(locks[count - 2], locks[count - 1]);
  Lock last;
  take(locks[count - 1], last);
  check(reports() == 0, "all in order");
  take(last, locks[count - 2]);
  check(reports() == 0, "and the gate is there");
  return 0;
}

int forked() {
  Lock a;
  Lock b;
  take(a, b);
  const pid_t child = fork();
  if (child == 0) {
    take(b, a);
    std::_Exit(reports() == 1 ? 42 : 1);
  }
  check(wait_for(child) == 42, "the child knows what its parent did");
  check(reports() == 0, "the parent knows nothing of the child");
  return 0;
}

int with_threads() {
  std::deque<Lock> locks(8);
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto first = static_cast<std::size_t>((i * 7 + t) % 7);
        take(locks[first], locks[first + 1]);
      }
    });
    threads.back().start();
  }
  for (Thread& thread : threads) thread.join();
  check(reports() == 0, "all keep to the order");
  return 0;
}

}  // namespace

int main() {
  return run({
      {"two_locks", two_locks},
      {"again_and_again", again_and_again},
      {"ring_of_three", ring_of_three},
      {"without_waiting", without_waiting},
      {"all_at_once", all_at_once},
      {"levels", levels},
      {"gate", gate},
      {"two_gates", two_gates},
      {"condition", condition},
      {"condition_with_one_lock", condition_with_one_lock},
      {"destroyed", destroyed},
      {"signal", signal},
      {"allowed", allowed},
      {"many", many},
      {"forked", forked},
      {"with_threads", with_threads},
  });
}
