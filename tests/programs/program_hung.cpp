// Threads that hang in every known way, until the program is killed.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "programs/program.h"
#include "tutti/tutti.h"

namespace {

namespace threading = tutti::threading;
using threading::Thread;
using threading::WaitKind;

// Never destroyed: threads hang on them.
threading::Lock& left = *new threading::Lock("left");
threading::Lock& right = *new threading::Lock("right");
tutti::queue::Queue<int>& jobs = *new tutti::queue::Queue<int>(0, "jobs");
threading::Event& never = *new threading::Event;

Thread start(std::string name, std::function<void()> target) {
  Thread thread({.target = std::move(target), .name = std::move(name), .daemon = true});
  thread.start();
  return thread;
}

void wait_until(std::string_view thread, WaitKind kind) {
  for (;;) {
    for (const auto& info : tutti::inspect::threads()) {
      if (info.name == thread && info.state.blocked_on.kind == kind) return;
    }
    std::this_thread::yield();
  }
}

void wait_until_both_want_locks() {
  const auto wants_lock = [](const auto& info) {
    return info.state.blocked_on.kind == WaitKind::lock;
  };
  for (;;) {
    const auto threads = tutti::inspect::threads();
    if (std::count_if(threads.begin(), threads.end(), wants_lock) == 2) return;
    std::this_thread::yield();
  }
}

// Each holds one of the locks and waits for the other's.
std::vector<Thread> start_ring(const std::string& first, const std::string& second) {
  static threading::Barrier& both_hold = *new threading::Barrier(2);
  std::vector<Thread> threads;
  threads.push_back(start(first, [] {
    left.acquire();
    both_hold.wait();
    right.acquire();
  }));
  threads.push_back(start(second, [] {
    right.acquire();
    both_hold.wait();
    left.acquire();
  }));
  wait_until_both_want_locks();
  return threads;
}

int wait();

int hang_in_many_ways() {
  std::vector<Thread> threads = start_ring("Anna", "Bert");
  Thread anna = threads[0];
  threads.push_back(start("joiner", [anna]() mutable { anna.join(); }));
  threads.push_back(start("sleeper", [] { tutti::sleep(100'000); }));
  threads.push_back(start("getter", [] { jobs.get(); }));
  threads.push_back(start("patient", [] { never.wait(100'000); }));
  threads.push_back(start("reader", [] { pause(); }));
  threads.push_back(start("odd\x1b[31m\xff", [] { never.wait(); }));
  wait_until("joiner", WaitKind::join);
  wait_until("sleeper", WaitKind::sleep);
  wait_until("getter", WaitKind::queue_empty);
  wait_until("patient", WaitKind::event);
  wait_until("reader", WaitKind::io);
  std::thread([] { pause(); }).detach();
  program::say("hangs");
  never.wait();
  return 0;
}

int hang_as_twins() {
  start_ring("twin", "twin");
  return wait();
}

// A ring of five, a queue before it, and a thread that waits for a lock whose owner sleeps.
int hang_in_a_large_ring() {
  constexpr std::size_t members = 5;
  static auto& locks = *new std::vector<std::unique_ptr<threading::Lock>>;
  static threading::Barrier& all_hold = *new threading::Barrier(members + 1);
  std::vector<Thread> threads;
  for (std::size_t i = 0; i < members; ++i) {
    locks.push_back(std::make_unique<threading::Lock>("fork " + std::to_string(i + 1)));
  }
  for (std::size_t i = 0; i < members; ++i) {
    threads.push_back(start("Philosopher-" + std::to_string(i + 1), [i] {
      locks[i]->acquire();
      all_hold.wait();
      locks[(i + 1) % members]->acquire();
    }));
  }
  threads.push_back(start("sleeper", [] {
    left.acquire();
    all_hold.wait();
    tutti::sleep(100'000);
  }));
  wait_until("sleeper", WaitKind::sleep);
  threads.push_back(start("late", [] { left.acquire(); }));
  for (int i = 1; i <= 2; ++i) {
    const std::string name = "guest-" + std::to_string(i);
    threads.push_back(start(name, [] { locks[0]->acquire(); }));
    wait_until(name, WaitKind::lock);
  }
  threads.push_back(start("host", [last = threads.back()]() mutable { last.join(); }));
  wait_until("host", WaitKind::join);
  program::say("hangs");
  never.wait();
  return 0;
}

// One thread, which waits.
int wait() {
  program::say("hangs");
  never.wait();
  return 0;
}

int hide() {
  tutti::inspect::hide();
  return wait();
}

// Two threads that are blocked, one after the other, and one that is not.
int hang_and_be_busy() {
  const Thread early = start("early", [] { never.wait(); });
  wait_until("early", WaitKind::event);
  const Thread late = start("late", [] { never.wait(); });
  wait_until("late", WaitKind::event);
  const Thread busy = start("busy-bee", [] {
    for (std::atomic<int> spins{0};; ++spins) {
    }
  });
  return wait();
}

int hang_in_many_threads() {
  std::vector<Thread> threads;
  for (int i = 1; i <= 30; ++i) {
    const std::string name = (i < 10 ? "waiter-0" : "waiter-") + std::to_string(i);
    threads.push_back(start(name, [] { never.wait(); }));
    wait_until(name, WaitKind::event);
  }
  return wait();
}

// Threads that come, wait for a moment, and go.
int come_and_go() {
  std::vector<Thread> makers;
  for (int i = 0; i < 3; ++i) {
    makers.push_back(start("maker", [] {
      for (;;) {
        Thread thread({.target = [] { never.wait(1e-5); }, .name = "short", .daemon = true});
        thread.start();
        thread.join();
      }
    }));
  }
  program::say("hangs");
  never.wait();
  return 0;
}

// A child by fork, in the same registry.
int fork_and_wait() {
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    threading::current_thread().set_name("child");
    never.wait();
  }
  return wait();
}

int set_a_handler_of_its_own() {
  signal(SIGQUIT, [](int) { program::say("its own handler"); });
  return wait();
}

// Starts itself once more, with the signal ignored.
int begin_with_quit_ignored() {
  signal(SIGQUIT, SIG_IGN);
  execl("/proc/self/exe", "program_hung", "find-quit-ignored", nullptr);
  return 1;
}

int find_quit_ignored() {
  program::say(signal(SIGQUIT, SIG_IGN) == SIG_IGN ? "SIGQUIT is ignored"
                                                   : "SIGQUIT is not ignored");
  return wait();
}

}  // namespace

int main() {
  // A test that is killed leaves nobody behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return program::run({{"many-ways", hang_in_many_ways},
                       {"large-ring", hang_in_a_large_ring},
                       {"twins", hang_as_twins},
                       {"wait", wait},
                       {"hide", hide},
                       {"busy", hang_and_be_busy},
                       {"many", hang_in_many_threads},
                       {"come-and-go", come_and_go},
                       {"fork", fork_and_wait},
                       {"own-quit", set_a_handler_of_its_own},
                       {"quit-ignored", begin_with_quit_ignored},
                       {"find-quit-ignored", find_quit_ignored}});
}
