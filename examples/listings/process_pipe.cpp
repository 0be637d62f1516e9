// A child process sends a list through a pipe and closes its end: the parent finds the list, and
// then the end of the stream. The parent closes its own copy of the child's end, for as long as
// anybody can still send there is no end.
//
//     received: 1 2 3 5 8
//     EOFError: nothing more comes
#include <tutti/multiprocessing.h>
#include <tutti/tutti.h>

#include <string>
#include <vector>

#include "pace.h"

using namespace tutti;

void send_list(multiprocessing::Connection connection) {
  connection.send(std::vector{1, 2, 3, 5, 8});
  connection.close();
}

int main() {
  auto [here, there] = multiprocessing::Pipe();
  multiprocessing::Process child(send_list, there);
  child.start();
  there.close();

  std::string list;
  for (const int number : here.recv<std::vector<int>>()) list += " " + std::to_string(number);
  say("received:", list);
  try {
    here.recv();
  } catch (const EOFError&) {
    say("EOFError: nothing more comes");
  }
  child.join();
}
