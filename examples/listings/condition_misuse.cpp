// Waiting and notifying are for those who hold the condition's lock.
//
//     wait: RuntimeError: cannot wait on Condition at 0x…: its lock is not acquired (in thread …)
//     notify: RuntimeError: cannot notify Condition at 0x…: its lock is not acquired (in …)
//     notify_all: RuntimeError: cannot notify Condition at 0x…: its lock is not acquired (in …)
//     notified with the lock
#include <tutti/tutti.h>

#include <mutex>

#include "pace.h"

using namespace tutti;

template <typename Call>
void attempt(const char* name, Call call) {
  try {
    call();
  } catch (const RuntimeError& error) {
    say(name, ": RuntimeError: ", error.what());
  }
}

int main() {
  threading::Condition condition;
  attempt("wait", [&] { condition.wait(); });
  attempt("notify", [&] { condition.notify(); });
  attempt("notify_all", [&] { condition.notify_all(); });

  std::scoped_lock held(condition);
  condition.notify_all();
  say("notified with the lock");
}
