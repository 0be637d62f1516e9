// Three threads share a list under one condition: the first creates it, the second sets all its
// elements, the third prints it. The third may come before or after the second, never in between.
//
//     0 0 0 0 0 0 0 0 0 0
//
// or the same with ones.
#include <tutti/tutti.h>

#include <mutex>
#include <vector>

#include "pace.h"

using namespace tutti;

threading::Condition created;
std::vector<int> list;

bool exists() {
  return !list.empty();
}

void create() {
  std::scoped_lock held(created);
  list.assign(10, 0);
  created.notify_all();
}

void set() {
  std::scoped_lock held(created);
  created.wait_for(exists);
  for (int& element : list) {
    element = 1;
    pause(0.1);
  }
}

void print() {
  std::scoped_lock held(created);
  created.wait_for(exists);
  std::string line;
  for (int element : list) line += (line.empty() ? "" : " ") + std::to_string(element);
  say(line);
}

int main() {
  threading::Thread printer(print);
  threading::Thread setter(set);
  threading::Thread creator(create);
  printer.start();
  setter.start();
  creator.start();
}
