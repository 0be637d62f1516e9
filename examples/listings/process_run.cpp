// A function run in a child process.
//
//     parent: 4711
//     child: Process-1
//     child's pid: 4712
//     its parent's: 4711
#include <tutti/multiprocessing.h>

#include <iostream>

using namespace tutti;

void run() {
  std::cout << "child: " << multiprocessing::current_process().name() << "\n"
            << "child's pid: " << *multiprocessing::current_process().pid() << "\n"
            << "its parent's: " << *multiprocessing::parent_process()->pid() << "\n";
}

int main() {
  std::cout << "parent: " << *multiprocessing::current_process().pid() << "\n";
  multiprocessing::Process p(run);
  p.start();
  p.join();
}
