// How a program ends: see tests/threading/program_end_test.cpp.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "programs/program.h"
#include "tutti/tutti.h"

namespace {

using namespace program;
namespace threading = tutti::threading;
using threading::Phase;
using threading::Thread;

void pause_for(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}
constexpr std::chrono::milliseconds a_while{60};

// --- static objects ------------------------------------------------------------------------------

// Says when it goes, after giving whoever should not run any more the time to do so.
struct Witness {
  ~Witness() {
    if (case_name().ends_with("_quietly")) return;
    say("static objects go");
  }
} witness;

// Uses everything before main() and after it.
struct StaticUser {
  StaticUser() {
    if (case_name() == "static_objects") use("constructor");
  }
  ~StaticUser() {
    if (case_name() == "static_objects") use("destructor");
  }

  void use(const std::string& where) {
    const std::scoped_lock held(lock, rlock, condition, semaphore);
    condition.notify_all();
    check(!condition.wait(0.001), "nobody notifies");
    event.set();
    event.wait();
    threading::Barrier(1).wait();
    *local += 1;
    tutti::sleep(0.001);
    check(threading::current_thread() == threading::main_thread(), "main runs static code");
    check(threading::active_count() >= (where == "constructor" ? 1u : 0u), "threads are counted");
    say(where);
  }

  threading::Lock lock;
  threading::RLock rlock;
  threading::Condition condition;
  threading::Semaphore semaphore;
  threading::Event event;
  threading::Local<int> local;
} static_user;

// Starts threads before main().
struct EarlyStarter {
  EarlyStarter() {
    if (case_name() != "start_in_static_constructor") return;
    Thread joined([] { say("joined thread"); });
    joined.start();
    joined.join();
    left.emplace([] {
      threading::main_thread().join();
      say("left thread");
    });
    left->start();
  }
  std::optional<Thread> left;
} early_starter;

struct LateStarter {
  ~LateStarter() {
    if (case_name() != "start_after_the_end") return;
    Thread late({.target = [] { say("runs"); }, .name = "latecomer"});
    try {
      late.start();
    } catch (const tutti::RuntimeError& error) {
      check(std::string(error.what()).find("latecomer") != std::string::npos, error.what());
      say("start refused");
    }
    check(late.state() == Phase::new_thread && !late.is_alive(), "it is as before");
    try {
      tutti::thread::start_new_thread([] { say("runs"); });
    } catch (const tutti::RuntimeError&) {
      say("start_new_thread refused");
    }
  }
} late_starter;

threading::Event never;

// --- cases ---------------------------------------------------------------------------------------

int thread_outlives_main() {
  Thread thread([] {
    threading::main_thread().join();
    pause_for(a_while);
    say("thread ends");
  });
  thread.start();
  say("main returns");
  return 6;
}

int threads_start_threads_after_main() {
  Thread thread([] {
    threading::main_thread().join();
    Thread grandchild([] {
      pause_for(a_while);
      say("grandchild ends");
    });
    grandchild.start();
    say("child ends");
  });
  thread.start();
  return 0;
}

int timer_rings_after_main() {
  threading::Timer timer(0.05, [] { say("ring"); });
  timer.start();
  say("main returns");
  return 0;
}

int exception_in_thread() {
  Thread thread({.target = [] { throw std::out_of_range("seventh of six"); }, .name = "reader"});
  thread.start();
  thread.join();
  say("main goes on");
  return 0;
}

int exit_in_main() {
  Thread thread([] {
    pause_for(a_while);
    say("thread ends");
  });
  thread.start();
  say("main exits");
  std::exit(7);
}

int exit_in_thread() {
  static threading::Event other_runs;
  Thread other([] {
    other_runs.set();
    pause_for(a_while);
    say("other ends");
  });
  other.start();
  other_runs.wait();
  Thread thread([] {
    say("thread exits");
    std::exit(8);
  });
  thread.start();
  thread.join();
  say("main goes on");
  return 0;
}

int quick_exit_with_threads() {
  Thread thread([] { never.wait(); });
  thread.start();
  std::quick_exit(9);
}

int exception_in_main() {
  Thread thread([] { never.wait(); });
  thread.start();
  throw std::runtime_error("nobody catches this");
}

int pthread_exit_in_thread() {
  static std::atomic<bool> unwound{false};
  Thread thread([] {
    const std::shared_ptr<void> guard(nullptr, [](void*) { unwound = true; });
    pthread_exit(nullptr);
  });
  thread.start();
  thread.join();
  check(unwound, "its destructors ran");
  check(!thread.is_alive() && thread.state() == Phase::dead, "it is dead");
  check(threading::active_count() == 1, "it is gone");
  say("joined");
  return 0;
}

int pthread_exit_in_main() {
  Thread thread([] {
    threading::main_thread().join();
    say("thread ends");
  });
  thread.start();
  pthread_exit(nullptr);
}

int thread_local_of_main() {
  struct User {
    ~User() {
      const std::scoped_lock held(static_user.lock);
      say("thread_local goes");
    }
    void touch() {}
  };
  static thread_local User user;
  user.touch();
  return 0;
}

int static_subclass() {
  class Worker : public Thread {
   public:
    ~Worker() override { say("worker goes"); }
    void run() override {
      threading::main_thread().join();
      pause_for(a_while);
      say(word_);
    }

   private:
    std::string word_ = "a word too long for the object itself, so it lies on the heap";
  };
  static Worker worker;
  worker.start();
  return 0;
}

int sigint_twice_while_busy() {
  tutti::handle_sigint();
  kill(getpid(), SIGINT);
  say("first one waits");
  kill(getpid(), SIGINT);
  say("second one did not end the program");
  return 0;
}

int sigint_not_handled() {
  Thread thread([] { never.wait(); });
  thread.start();
  kill(getpid(), SIGINT);
  tutti::sleep(10);
  return 0;
}

int nothing() {
  return 0;
}

}  // namespace

int main() {
  return run({
      {"nothing_quietly", nothing},
      {"static_objects", nothing},
      {"start_in_static_constructor", nothing},
      {"start_after_the_end", nothing},
      {"thread_outlives_main", thread_outlives_main},
      {"threads_start_threads_after_main", threads_start_threads_after_main},
      {"timer_rings_after_main", timer_rings_after_main},
      {"exception_in_thread", exception_in_thread},
      {"exit_in_main", exit_in_main},
      {"exit_in_thread", exit_in_thread},
      {"quick_exit_with_threads", quick_exit_with_threads},
      {"exception_in_main", exception_in_main},
      {"pthread_exit_in_thread", pthread_exit_in_thread},
      {"pthread_exit_in_main", pthread_exit_in_main},
      {"thread_local_of_main", thread_local_of_main},
      {"static_subclass", static_subclass},
      {"sigint_twice_while_busy", sigint_twice_while_busy},
      {"sigint_not_handled", sigint_not_handled},
  });
}
