// Programs that would hang: see tests/threading/deadlock_policy_test.cpp.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "programs/program.h"
#include "tutti/tutti.h"

// Threads that wait for ever, and what they hold, are what these programs are about.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
extern "C" const char* __tsan_default_options() {
  return "report_thread_leaks=0:detect_deadlocks=0";
}

namespace {

using namespace program;
namespace inspect = tutti::inspect;
namespace queue = tutti::queue;
namespace threading = tutti::threading;
using threading::Lock;
using threading::ThreadOptions;

bool are_blocked(const std::vector<std::string>& names, double seconds) {
  std::size_t found = 0;
  for (const auto& info : inspect::threads()) {
    for (const std::string& name : names) {
      if (info.name == name && info.blocked_for > seconds) ++found;
    }
  }
  return found == names.size();
}

// Two daemons that hold a lock each and wait for the other's.
void make_ring() {
  static Lock locks[2];
  static threading::Barrier both(2);
  for (int i = 0; i < 2; ++i) {
    const auto member = [i] {
      const std::scoped_lock first(locks[i]);
      both.wait();
      const std::scoped_lock second(locks[1 - i]);
    };
    threading::Thread(
        ThreadOptions{.target = member, .name = i == 0 ? "Kant" : "Plato", .daemon = true})
        .start();
  }
}

// Goes on for as long as both of the ring wait for more than a second.
int ring_that_stays() {
  make_ring();
  while (!are_blocked({"Kant", "Plato"}, 1)) tutti::sleep_for(0.01);
  say("both wait");
  return 0;
}

// The program stays there until it is aborted.
int ring_to_abort() {
  make_ring();
  for (;;) tutti::sleep_for(1);
}

int forgotten_event() {
  static threading::Event forgotten;
  threading::Thread(ThreadOptions{.target = [] { forgotten.wait(); }, .name = "waiter"}).start();
  alarm(3);  // Which kills it: there is no handler.
  return 0;
}

void end_by_signal(int /*number*/) {
  _exit(7);
}

int waits_for_a_signal() {
  signal(SIGALRM, end_by_signal);
  alarm(3);
  threading::Event never_set;
  never_set.wait();
  return 1;
}

int waits_for_input() {
  // The parent's pipe: nobody writes to it for three seconds.
  int ends[2];
  check(pipe(ends) == 0, "a pipe");
  const int child = fork();
  if (child == 0) {
    sleep(3);
    const char byte = 1;
    _exit(write(ends[1], &byte, 1) == 1 ? 0 : 1);
  }
  threading::Event has_come;
  threading::Thread reader([&] {
    char byte;
    check(read(ends[0], &byte, 1) == 1, "a byte comes");
    has_come.set();
  });
  reader.start();
  has_come.wait();
  reader.join();
  return wait_for(child);
}

int waits_for_a_foreign_thread() {
  static threading::Event has_come;
  pthread_t thread;
  const auto sets_it_late = [](void*) -> void* {
    sleep(3);
    has_come.set();
    return nullptr;
  };
  check(pthread_create(&thread, nullptr, sets_it_late, nullptr) == 0, "a thread");
  has_come.wait();
  pthread_join(thread, nullptr);
  return 0;
}

int getter_at_the_end() {
  static queue::Queue<int> jobs(0, "jobs");
  threading::Thread(ThreadOptions{.target = [] { jobs.get(); }, .name = "worker"}).start();
  return 0;
}

// main holds a lock until the end, which waits for a thread that wants it.
int ring_with_the_end() {
  static Lock lock;
  lock.acquire();
  threading::Thread(ThreadOptions{.target = [] { lock.acquire(); }, .name = "worker"}).start();
  return 0;
}

struct LockUser {
  Lock lock;
  ~LockUser() {
    try {
      lock.acquire();
    } catch (const tutti::OwnerDiedError& error) {
      say(error.what());
    }
  }
};

int lock_of_a_stopped_daemon() {
  static LockUser user;
  static threading::Event is_held;
  threading::Thread daemon(ThreadOptions{.target =
                                             [] {
                                               user.lock.acquire();
                                               is_held.set();
                                               for (;;) tutti::sleep_for(0.001);
                                             },
                                         .name = "daemon",
                                         .daemon = true});
  daemon.start();
  is_held.wait();
  return 0;
}

int slow_wait() {
  Lock lock;
  threading::Event is_held;
  threading::Event may_release;
  threading::Thread holder(ThreadOptions{.target =
                                             [&] {
                                               const std::scoped_lock held(lock);
                                               is_held.set();
                                               may_release.wait();
                                             },
                                         .name = "holder"});
  holder.start();
  is_held.wait();
  threading::Thread waiter(
      ThreadOptions{.target = [&] { const std::scoped_lock held(lock); }, .name = "waiter"});
  waiter.start();
  while (!are_blocked({"waiter"}, 0.2)) tutti::sleep_for(0.01);
  may_release.set();
  waiter.join();
  holder.join();
  return 0;
}

}  // namespace

int main() {
  return run({
      {"ring_that_stays", ring_that_stays},
      {"ring_to_abort", ring_to_abort},
      {"forgotten_event", forgotten_event},
      {"waits_for_a_signal", waits_for_a_signal},
      {"waits_for_input", waits_for_input},
      {"waits_for_a_foreign_thread", waits_for_a_foreign_thread},
      {"getter_at_the_end", getter_at_the_end},
      {"ring_with_the_end", ring_with_the_end},
      {"lock_of_a_stopped_daemon", lock_of_a_stopped_daemon},
      {"slow_wait", slow_wait},
  });
}
