// A deadlock that has not happened yet. Two threads transfer money in opposite directions, each
// holding both accounts' locks; here the second one starts when the first has ended, so all goes
// well. With TUTTI_LOCK_ORDER=1 in the environment the program says on standard error that another
// time it may not:
//
//     $ TUTTI_LOCK_ORDER=1 lock_order
//     tutti: possible deadlock: 2 locks are not always taken in the same order
//       thread 'save' takes Lock 'current' at lock_order.cpp:35
//         while it holds Lock 'savings', taken at lock_order.cpp:34
//       thread 'pay' takes Lock 'savings' at lock_order.cpp:35
//         while it holds Lock 'current', taken at lock_order.cpp:34
//     current 70, savings 130
//     possible deadlocks: 1
#include <tutti/inspect.h>
#include <tutti/threading.h>

#include <cstdio>
#include <functional>
#include <utility>

using namespace tutti;

struct Account {
  threading::Lock lock;
  int balance = 100;
};

Account current{threading::Lock{"current"}};
Account savings{threading::Lock{"savings"}};

// std::scoped_lock both(from.lock, to.lock) would be right: it never waits for one lock while it
// holds the other.
void transfer(Account& from, Account& to, int amount) {
  const std::scoped_lock first(from.lock);
  const std::scoped_lock second(to.lock);
  from.balance -= amount;
  to.balance += amount;
}

void run(const char* name, std::function<void()> work) {
  threading::Thread thread({.target = std::move(work), .name = name});
  thread.start();
  thread.join();
}

int main() {
  run("pay", [] { transfer(current, savings, 50); });
  run("save", [] { transfer(savings, current, 20); });
  std::printf("current %d, savings %d\n", current.balance, savings.balance);
  std::printf("possible deadlocks: %zu\n", inspect::lock_order_reports().size());
}
