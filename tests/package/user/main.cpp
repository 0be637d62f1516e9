// What a user's first program looks like.
#include <tutti/tutti.h>
#include <cstdio>

int main() {
  tutti::threading::Event done;
  tutti::threading::Thread thread([&] { done.set(); });
  thread.start();
  done.wait();
  thread.join();
  std::puts("installed tutti works");
}
