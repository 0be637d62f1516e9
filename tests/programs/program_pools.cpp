// How programs with pools end, and what a fork leaves of pools: see
// tests/futures/pools_end_test.cpp.
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "programs/program.h"
#include "tutti/tutti.h"

// What a pool has, nobody can free once its threads have vanished in a fork, or when the program
// itself lets go of it: no leak of ours.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
extern "C" const char* __tsan_default_options() {
  return "report_thread_leaks=0";
}

namespace {

using namespace program;
namespace futures = tutti::futures;
namespace threading = tutti::threading;
using futures::Future;
using futures::ThreadPoolExecutor;

struct Witness {
  ~Witness() { say("static objects go"); }
} witness;

// Has three calls made, one after the other, after main has returned.
void submit_three(ThreadPoolExecutor& pool) {
  for (const char* name : {"one", "two", "three"}) {
    pool.submit([name] {
      threading::main_thread().join();
      say(name);
    });
  }
}

int leaked_pool() {
  submit_three(*new ThreadPoolExecutor(1));
  say("main returns");
  return 5;
}

int static_pool() {
  static ThreadPoolExecutor pool(1);
  submit_three(pool);
  say("main returns");
  return 5;
}

int idle_pool() {
  auto* pool = new ThreadPoolExecutor(4);
  pool->submit([] {}).result();
  return 0;
}

int submit_at_the_end() {
  auto* pool = new ThreadPoolExecutor(1);
  pool->submit([pool] {
    threading::main_thread().join();
    try {
      // The pool is told of the end when main has returned, maybe a little later.
      for (;;) pool->submit([] {});
    } catch (const tutti::RuntimeError& error) {
      say(std::string(error.what()).find("at the end of the program") != std::string::npos
              ? "refused"
              : error.what());
    }
  });
  return 0;
}

int nested_at_the_end() {
  auto* pool = new ThreadPoolExecutor(1);
  static threading::Event submitted;
  pool->submit([pool] {
    const Future<int> inner = pool->submit([] { return 3; });
    submitted.set();
    threading::main_thread().join();
    say(inner.result(60) == 3 ? "three" : "another");
  });
  submitted.wait();
  return 0;
}

int exit_in_call() {
  auto* pool = new ThreadPoolExecutor(1);
  pool->submit([] { std::exit(7); });
  threading::Event().wait();
  return 0;
}

int fork_with_pool() {
  ThreadPoolExecutor pool(2, "Parents");
  threading::Event begun;
  threading::Event may_end;
  const Future<void> running = pool.submit([&] {
    begun.set();
    may_end.wait();
  });
  begun.wait();
  const Future<int> done = pool.submit([] { return 1; });
  done.result();
  const pid_t child = fork();
  if (child == 0) {
    check(done.result() == 1, "what was done before is done");
    threading::Thread daemon(
        {.target = [&] { check(done.result() == 1, "for daemons too"); }, .daemon = true});
    daemon.start();
    daemon.join();
    try {
      pool.submit([] {});
      check(false, "the pool of the parent takes nothing here");
    } catch (const tutti::RuntimeError& error) {
      check(std::string(error.what()).find("'Parents' in a forked child") != std::string::npos,
            error.what());
    }
    try {
      running.result();
      check(false, "the call of the parent is never done here");
    } catch (const tutti::RuntimeError& error) {
      check(std::string(error.what()).find("forked") != std::string::npos, error.what());
    }
    pool.shutdown();
    check(ThreadPoolExecutor(2).submit([] { return 2; }).result() == 2, "a new pool works");
    std::exit(42);
  }
  check(wait_for(child) == 42, "the child came to its end");
  may_end.set();
  running.result();
  return 0;
}

}  // namespace

int main() {
  return run({
      {"leaked_pool", leaked_pool},
      {"static_pool", static_pool},
      {"idle_pool", idle_pool},
      {"submit_at_the_end", submit_at_the_end},
      {"nested_at_the_end", nested_at_the_end},
      {"exit_in_call", exit_in_call},
      {"fork_with_pool", fork_with_pool},
  });
}
