// What a timeline shows: see tests/runtime/trace_test.cpp. TUTTI_TRACE says where it goes.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "programs/program.h"
#include "tutti/tutti.h"

namespace {

using namespace program;
namespace threading = tutti::threading;
namespace inspect = tutti::inspect;
using threading::Thread;

void until(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// Until the thread has been asleep on something for so many seconds.
void until_blocked(const Thread& thread, double seconds = 0) {
  until([&] {
    for (const inspect::ThreadInfo& info : inspect::threads()) {
      if (info.ident == thread.ident()) return info.blocked_for > seconds;
    }
    return false;
  });
}

// Until the main thread waits for the end of the calling one, say.
void until_joined() {
  until(
      [] { return threading::main_thread().state().blocked_on.kind == threading::WaitKind::join; });
}

Thread started(std::string name, std::function<void()> target) {
  Thread thread({.target = std::move(target), .name = std::move(name)});
  thread.start();
  return thread;
}

threading::Lock accounts;

// --- cases ---------------------------------------------------------------------------------------

// The lock's waiter has waited for so long that the lock is handed over to it.
int hand_over() {
  accounts.acquire();
  Thread waiter = started("waiter", [] {
    accounts.acquire();
    accounts.release();
    until_joined();
  });
  until_blocked(waiter, 0.002);
  inspect::mark("release it");
  accounts.release();
  waiter.join();
  return 0;
}

int queue() {
  tutti::queue::Queue<int> jobs(1, "jobs");
  Thread getter = started("getter", [&] { jobs.get(); });
  until_blocked(getter);
  jobs.put(1);
  getter.join();
  return 0;
}

int condition() {
  threading::Condition changed;
  Thread waiter = started("waiter", [&] {
    changed.acquire();
    changed.wait();
    changed.release();
  });
  until_blocked(waiter);
  changed.acquire();
  changed.notify();
  until([&] { return waiter.state().blocked_on.kind != threading::WaitKind::condition; });
  changed.release();
  waiter.join();
  return 0;
}

int join_and_sleep() {
  Thread sleeper = started("sleeper \"\\\n\xc3\xa9\xff", [] {
    tutti::sleep(0.005);
    until_joined();
  });
  sleeper.join();
  return 0;
}

int io() {
  Thread reader = started("reader", [] {
    const inspect::Blocking here;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  reader.join();
  return 0;
}

// Short waits, most of which end while the waiting thread still spins.
int take_turns(int rounds) {
  threading::Event there;
  threading::Event back;
  Thread other = started("other", [&] {
    for (int i = 0; i < rounds; ++i) {
      there.wait();
      there.clear();
      back.set();
    }
    until_joined();
  });
  for (int i = 0; i < rounds; ++i) {
    there.set();
    back.wait();
    back.clear();
  }
  other.join();
  return 0;
}

int turns() {
  return take_turns(1000);
}
int many_turns() {
  return take_turns(50'000);
}

int many_threads() {
  for (int i = 0; i < 1000; ++i) started("short-" + std::to_string(i), [] {}).join();
  return 0;
}

// Daemons are blocked when the program ends.
int blocked_at_the_end() {
  static tutti::queue::Queue<int> never(1, "never filled");
  static threading::Lock held;
  held.acquire();
  Thread stuck({.target = [] { never.get(); }, .name = "stuck", .daemon = true});
  Thread locked_out({.target = [] { held.acquire(); }, .name = "locked out", .daemon = true});
  stuck.start();
  locked_out.start();
  until_blocked(stuck);
  until_blocked(locked_out);
  return 0;
}

int exit_in_thread() {
  Thread thread = started("leaver", [] {
    inspect::mark("leave");
    std::exit(3);
  });
  thread.join();
  return 0;
}

int exception() {
  inspect::mark("throw");
  throw std::runtime_error("nobody catches this");
}

int fork_case() {
  inspect::mark("before the fork");
  const pid_t child = fork();
  if (child == 0) {
    Thread thread = started("grandchild", [] { inspect::mark("in the child"); });
    thread.join();
    std::exit(0);
  }
  check(wait_for(child) == 0, "the child ends well");
  inspect::mark("after the fork");
  return 0;
}

// By the program's own will, twice, and only the second one counts: the file is the same.
int by_call() {
  const std::string path = std::getenv("TRACE_FILE");
  check(!inspect::stop_trace(), "nothing is recorded");
  inspect::mark("before");
  Thread early = started("early", [] { tutti::sleep(0.001); });
  early.join();
  threading::Event go;
  Thread late = started("late", [&] { go.wait(); });
  until_blocked(late);
  for (const char* text : {"first", "second"}) {
    inspect::trace_to(path);
    inspect::mark(text);
    try {
      inspect::trace_to(path);
      check(false, "one at a time");
    } catch (const tutti::RuntimeError& error) {
      check(std::string(error.what()) == "a timeline is being recorded already, for '" + path + "'",
            error.what());
    }
    if (std::string(text) == "second") {
      go.set();
      late.join();
    }
    check(inspect::stop_trace(), "there is one to write");
  }
  inspect::mark("after");
  try {
    inspect::trace_to("/does/not/exist/trace.json");
    check(false, "no such folder");
  } catch (const tutti::RuntimeError& error) {
    check(std::string(error.what()) ==
              "can't write the timeline to '/does/not/exist/trace.json': No such file or directory",
          error.what());
  }
  return 0;
}

// The timeline is written while threads write to their rings.
int busy_at_the_end() {
  static threading::Lock lock;
  for (int i = 0; i < 3; ++i) {
    Thread busy({.target =
                     [] {
                       for (;;) {
                         inspect::mark("round");
                         lock.acquire();
                         lock.release();
                       }
                     },
                 .name = "busy",
                 .daemon = true});
    busy.start();
  }
  tutti::sleep(0.05);
  return 0;
}

}  // namespace

int main() {
  return run({
      {"hand_over", hand_over},
      {"queue", queue},
      {"condition", condition},
      {"join_and_sleep", join_and_sleep},
      {"io", io},
      {"turns", turns},
      {"many_turns", many_turns},
      {"many_threads", many_threads},
      {"blocked_at_the_end", blocked_at_the_end},
      {"exit_in_thread", exit_in_thread},
      {"exception", exception},
      {"fork", fork_case},
      {"by_call", by_call},
      {"busy_at_the_end", busy_at_the_end},
  });
}
