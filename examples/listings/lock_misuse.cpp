// A lock that nobody holds can't be released.
//
//     locked: False
//     RuntimeError: cannot release Lock at 0x…: it is not locked (in thread 'MainThread')
#include <tutti/tutti.h>

#include "pace.h"

using namespace tutti;

int main() {
  threading::Lock lock;
  lock.acquire();
  lock.release();
  say("locked: ", lock.locked());
  try {
    lock.release();
  } catch (const RuntimeError& error) {
    say("RuntimeError: ", error.what());
  }
}
