// A Value and an Array changed by four child processes under their locks. Without them some of the
// additions would be lost.
//
//     value: 4000
//     array: 400 800 1200
#include <tutti/multiprocessing.h>
#include <tutti/tutti.h>

#include <list>
#include <mutex>

#include "pace.h"

using namespace tutti;

multiprocessing::Value<int> total(0);
multiprocessing::Array<int> sums{0, 0, 0};

void add() {
  for (int i = 0; i < 1000; ++i) {
    std::scoped_lock held(total.get_lock());
    total = total.value() + 1;
  }
  for (int i = 0; i < 100; ++i) {
    std::scoped_lock held(sums.get_lock());
    int step = 0;
    for (int& sum : sums) sum += ++step;
  }
}

int main() {
  std::list<multiprocessing::Process> children;
  for (int i = 0; i < 4; ++i) children.emplace_back(add).start();
  for (multiprocessing::Process& child : children) child.join();
  say("value: ", total.value());
  say("array: ", int(sums[0]), " ", int(sums[1]), " ", int(sums[2]));
}
