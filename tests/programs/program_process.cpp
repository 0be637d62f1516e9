// Whole programs with child processes: see tests/multiprocessing/process_program_test.cpp.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "programs/program.h"
#include "tutti/multiprocessing.h"
#include "tutti/tutti.h"

namespace {

using namespace program;
using tutti::multiprocessing::current_process;
using tutti::multiprocessing::parent_process;
using tutti::multiprocessing::Process;

/// Says when it is destroyed, with static objects that came before it.
struct Static {
  ~Static() {
    if (case_name() == "end") say("a static object is destroyed");
  }
} a_static;

int streams() {
  std::ios::sync_with_stdio(false);
  std::printf("parent's stdout\n");
  std::cout << "parent's cout\n";
  std::atexit([] { say("atexit"); });
  Process process([] {
    std::printf("child's stdout\n");
    std::cout << "child's cout\n";
  });
  process.start();
  process.join();
  return *process.exitcode();
}

int exception() {
  Process process({.target = [] { throw tutti::ValueError("no such thing"); }, .name = "thrower"});
  process.start();
  process.join();
  return *process.exitcode();
}

int end() {
  Process daemon({.target = [] { tutti::sleep(3600); }, .daemon = true});
  daemon.start();
  Process child([] {
    tutti::sleep(0.05);
    say("the child ends");
  });
  child.start();
  tutti::threading::Thread thread([] {
    Process last([] { say("a child of a thread ends"); });
    last.start();
    last.join();
  });
  thread.start();
  thread.join();
  say("main returns");
  return 0;
}

int exit_in_child() {
  Process process([] { std::exit(7); });
  process.start();
  process.join();
  return *process.exitcode();
}

int pthread_exit_in_child() {
  std::atexit([] { say("atexit"); });
  Process process([] { pthread_exit(nullptr); });
  process.start();
  process.join();
  return *process.exitcode();
}

int killed_parent() {
  Process daemon({.target = [] { tutti::sleep(3600); }, .daemon = true});
  daemon.start();
  // A thread that forks and ends is no parent that dies.
  Process of_thread({.target = [] { tutti::sleep(3600); }, .daemon = true});
  tutti::threading::Thread starter([&] { of_thread.start(); });
  starter.start();
  starter.join();
  Process child([] {
    parent_process()->join();
    check(!parent_process()->is_alive(), "the parent is gone");
    say("the other child goes on");
  });
  child.start();
  of_thread.join(0.05);
  check(daemon.is_alive() && of_thread.is_alive() && child.is_alive(), "all children live");
  raise(SIGKILL);
  return 0;
}

int killed_parent_of_others() {
  using tutti::multiprocessing::StartMethod;
  for (const StartMethod method : {StartMethod::spawn, StartMethod::forkserver}) {
    Process daemon({.target = [] { tutti::sleep(3600); }, .daemon = true, .start_method = method});
    daemon.start();
    Process child({.target =
                       [] {
                         parent_process()->join();
                         say("another child goes on");
                       },
                   .start_method = method});
    child.start();
  }
  raise(SIGKILL);
  return 0;
}

int spawned() {
  Process process({.target = [] { throw tutti::thread::SystemExit{0}; },
                   .start_method = tutti::multiprocessing::StartMethod::spawn});
  process.start();
  process.join();
  return *process.exitcode();
}

// What two children in a ring tell is read until the ring is told of, and until they have ended.
int ring() {
  using tutti::multiprocessing::Barrier;
  using tutti::multiprocessing::Lock;
  int told[2];
  check(pipe(told) == 0, "a pipe");
  const int own_stderr = dup(2);
  dup2(told[1], 2);
  Lock left("left"), right("right");
  Barrier both_hold(2);
  const auto take_both = [&](Lock& first, Lock& second) {
    first.acquire();
    both_hold.wait();
    second.acquire();
  };
  Process one([&] { take_both(left, right); }), other([&] { take_both(right, left); });
  one.start();
  other.start();
  dup2(own_stderr, 2);
  close(told[1]);
  std::string text;
  const auto read_on = [&] {
    char bytes[4096];
    const ssize_t size = read(told[0], bytes, sizeof bytes);
    text.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return size > 0;
  };
  while (text.find("and holds Lock 'left'") == text.npos && read_on()) {
  }
  // Time for some more looks.
  one.join(0.2);
  if (one.is_alive() && other.is_alive()) {
    say("both wait");
    one.kill();
    other.kill();
  }
  one.join();
  other.join();
  while (read_on()) {
  }
  std::fputs(text.c_str(), stderr);
  say(std::to_string(std::min(*one.exitcode(), *other.exitcode())));
  return 0;
}

// Run without standard streams: what the library opens must not take their places.
int without_streams() {
  for (int i = 0; i < 2000; ++i) std::puts("what nobody is to see");
  std::fflush(stdout);
  for (const char* method : {"fork", "spawn", "forkserver"}) {
    Process child = tutti::multiprocessing::get_context(method).Process(
        [] { throw tutti::thread::SystemExit{getchar() == EOF ? 0 : 2}; });
    child.start();
    child.join();
    if (child.exitcode() != 0) return 1;
  }
  return 0;
}

// As above. The survivor's end of the program is told by a pipe: whoever printed into that would
// have the memory removed that is still used.
int objects_without_streams() {
  const auto open_streams = [] {
    std::vector<int> open;
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      if (fcntl(stream, F_GETFD) >= 0) open.push_back(stream);
    }
    return open;
  };
  const std::vector<int> before = open_streams();
  tutti::multiprocessing::SharedMemory memory(std::nullopt, true, 1);
  const tutti::multiprocessing::SharedMemory attached(memory.name());
  const auto pipe = tutti::multiprocessing::Pipe(false);
  const auto [sender, receiver] = tutti::multiprocessing::Pipe();
  tutti::multiprocessing::reduction::send_handle(sender, pipe.first.fileno());
  const int received = tutti::multiprocessing::reduction::recv_handle(receiver);
  const std::vector<int> after = open_streams();
  close(received);
  memory.unlink();
  return after == before ? 0 : 1;
}

int interrupted_at_the_end() {
  Process child([] {
    tutti::sleep(0.05);
    ::kill(static_cast<pid_t>(*parent_process()->pid()), SIGINT);
    parent_process()->join();
  });
  tutti::handle_sigint();
  child.start();
  return 0;
}

}  // namespace

int main() {
  return run({
      {"streams", streams},
      {"exception", exception},
      {"end", end},
      {"exit_in_child", exit_in_child},
      {"pthread_exit_in_child", pthread_exit_in_child},
      {"killed_parent", killed_parent},
      {"killed_parent_of_others", killed_parent_of_others},
      {"spawned", spawned},
      {"ring", ring},
      {"without_streams", without_streams},
      {"objects_without_streams", objects_without_streams},
      {"interrupted_at_the_end", interrupted_at_the_end},
  });
}
