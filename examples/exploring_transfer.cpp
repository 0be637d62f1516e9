// Two transfers at the same time, in opposite directions, under every interleaving.
#include <tutti/explore.h>
#include <tutti/tutti.h>

#include <iostream>

using namespace tutti;

struct Account {
  threading::Lock lock;
  Shared<int> balance = 100;
};

void transfer(Account& from, Account& to, int amount) {
  std::scoped_lock held_from(from.lock);
  std::scoped_lock held_to(to.lock);
  from.balance -= amount;
  to.balance += amount;
}

int main() {
  const auto body = [] {
    Account ann;
    Account bob;
    explore::name(ann.lock, "Ann's lock");
    explore::name(bob.lock, "Bob's lock");
    threading::Thread there([&] { transfer(ann, bob, 10); });
    threading::Thread back([&] { transfer(bob, ann, 20); });
    there.start();
    back.start();
    there.join();
    back.join();
    explore::require(ann.balance == 110 && bob.balance == 90);
  };
  std::cout << explore::check(body, {.print = false}) << "\n";
}
