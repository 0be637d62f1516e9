// Process: starting children, what they are and how they end.
#include "tutti/multiprocessing/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <streambuf>
#include <string>
#include <vector>

#ifdef __GLIBCXX__
#include <ext/stdio_sync_filebuf.h>
#endif

#include "multiprocessing/telling.h"
#include "runtime/life.h"
#include "runtime/registry.h"
#include "runtime/self.h"
#include "support/sanitizer.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/tutti.h"

namespace tests {

using tutti::OSError;
using tutti::RuntimeError;
using tutti::ValueError;
using tutti::multiprocessing::active_children;
using tutti::multiprocessing::current_process;
using tutti::multiprocessing::parent_process;
using tutti::multiprocessing::Process;
using tutti::multiprocessing::ProcessOptions;
using tutti::thread::SystemExit;

/// A child that runs until it is told to end.
Process sleeper(bool daemon = false) {
  return Process({.target = [] { tutti::sleep(3600); }, .daemon = daemon});
}

bool has_children() {
  return waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// --- what runs -----------------------------------------------------------------------------------

TEST(Process, RunsItsTargetInAnotherProcess) {
  const Channel channel;
  Process process([&] { channel.tell(std::to_string(getpid())); });
  process.start();
  const std::string told = channel.hear();
  EXPECT_EQ(told, std::to_string(process.pid().value()));
  EXPECT_NE(told, std::to_string(getpid()));
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST(Process, TakesItsArgumentsByValue) {
  std::string text = "before";
  const Channel channel;
  Process process([&](const std::string& given) { channel.tell(given); }, text);
  text = "after";
  EXPECT_EQ(exit_code_of(process), 0);
  EXPECT_EQ(channel.hear(), "before");
}

TEST(Process, TakesWhatCanOnlyBeMoved) {
  auto number = std::make_unique<int>(7);
  EXPECT_EQ(exit_code_of(Process([](std::unique_ptr<int> given) { throw SystemExit{*given}; },
                                 std::move(number))),
            7);
}

TEST(Process, GivesTheParentsArgumentsUpWhenItHasStarted) {
  auto shared = std::make_shared<int>(1);
  Process process([](const std::shared_ptr<int>&) {}, shared);
  EXPECT_EQ(shared.use_count(), 2);
  process.start();
  EXPECT_EQ(shared.use_count(), 1);
  process.join();
}

TEST(Process, CallsTheRunOfADerivedClass) {
  class Squarer : public Process {
   public:
    explicit Squarer(int number) : number_(number) {}
    void run() override { throw SystemExit{number_ * number_}; }

   private:
    int number_;
  };
  Squarer squarer(9);
  squarer.start();
  squarer.join();
  EXPECT_EQ(squarer.exitcode(), 81);
}

TEST(Process, DoesNothingWithoutATarget) {
  EXPECT_EQ(exit_code_of(Process()), 0);
}

TEST(Process, HasAnEmptyStandardInput) {
  EXPECT_EQ(exit_code_of(Process([] {
              char byte;
              throw SystemExit{read(STDIN_FILENO, &byte, 1) == 0 ? 21 : 22};
            })),
            21);
}

/// Can't write what it holds, and tells when it is asked to.
class Unwritable : public std::streambuf {
 public:
  explicit Unwritable(const Channel& channel) : channel_(channel) {}

 private:
  int sync() override {
    channel_.tell("asked to write");
    return -1;
  }

  const Channel& channel_;
};

TEST(Process, EndsInOrderThoughItsStreamsCannotBeWrittenOut) {
  const Channel channel;
  EXPECT_EQ(exit_code_of(Process([&] {
              std::cout.rdbuf(new Unwritable(channel));  // It is used to the end.
              std::cout.exceptions(std::ios::badbit);
            })),
            0);
  EXPECT_EQ(channel.hear(), "asked to write");
}

#ifdef __GLIBCXX__
TEST(Process, WritesOutAStreamThatPassesAllOnToAnotherFile) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(tmpfile(), fclose);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(exit_code_of(Process([&] {
              std::cout.rdbuf(new __gnu_cxx::stdio_sync_filebuf<char>(file.get()));
              std::cout << "told";
            })),
            0);
  std::string told(10, ' ');
  const ssize_t size = pread(fileno(file.get()), told.data(), told.size(), 0);
  EXPECT_EQ(told.substr(0, size > 0 ? static_cast<std::size_t>(size) : 0), "told");
}
#endif

TEST(Process, MayBeStartedInAnyThread) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't follow a fork among threads";
  Process process([] { throw SystemExit{tutti::threading::active_count() == 1 ? 5 : 6}; });
  tutti::threading::Thread starter([&] { process.start(); });
  starter.start();
  starter.join();
  process.join();
  EXPECT_EQ(process.exitcode(), 5);
}

// --- names and numbers ---------------------------------------------------------------------------

TEST(Process, IsNamedByItsNumberAndItsParents) {
  const Channel channel;
  Process process([&] {
    Process child([&] { channel.tell(current_process().name()); });
    child.start();
    child.join();
  });
  EXPECT_EQ(process.name().find("Process-"), 0u);
  EXPECT_EQ(exit_code_of(process), 0);
  EXPECT_EQ(channel.hear(), process.name() + ":1");
}

TEST(Process, TakesAName) {
  Process process({.target = [] {}, .name = "feeder"});
  EXPECT_EQ(process.name(), "feeder");
  process.set_name("eater");
  EXPECT_EQ(process.name(), "eater");
}

TEST(Process, KnowsItselfAndItsParent) {
  const Channel channel;
  Process process({.target =
                       [&] {
                         const auto parent = parent_process();
                         channel.tell(current_process().name() + " " + parent->name() + " " +
                                      std::to_string(parent->pid().value()) +
                                      (parent->is_alive() ? " alive" : " gone"));
                       },
                   .name = "child"});
  EXPECT_EQ(exit_code_of(process), 0);
  EXPECT_EQ(channel.hear(), "child MainProcess " + std::to_string(getpid()) + " alive");
}

TEST(Process, TheMainOneHasNoParent) {
  EXPECT_FALSE(parent_process());
  EXPECT_EQ(current_process().name(), "MainProcess");
  EXPECT_EQ(current_process().pid(), static_cast<std::uint32_t>(getpid()));
  EXPECT_TRUE(current_process().is_alive());
  EXPECT_FALSE(current_process().daemon());
}

TEST(Process, HasTheKeyOfTheProcessThatMadeIt) {
  EXPECT_EQ(current_process().authkey().size(), 32u);
  const std::string before = current_process().authkey();
  current_process().set_authkey("secret");
  const Channel channel;
  EXPECT_EQ(exit_code_of(Process([&] { channel.tell(current_process().authkey()); })), 0);
  current_process().set_authkey(before);
  EXPECT_EQ(channel.hear(), "secret");
}

TEST(Process, TellsWhatItIs) {
  Process process({.target = [] { tutti::sleep(3600); }, .name = "sleeper", .daemon = true});
  EXPECT_EQ(process.to_string(), "<Process name='sleeper' initial daemon>");
  process.start();
  const std::string start = "<Process name='sleeper' pid=" + std::to_string(*process.pid()) +
                            " parent=" + std::to_string(getpid());
  EXPECT_EQ(process.to_string(), start + " started daemon>");
  process.terminate();
  process.join();
  EXPECT_EQ(process.to_string(), start + " stopped exitcode=-SIGTERM daemon>");
  process.close();
  EXPECT_EQ(process.to_string(), "<Process name='sleeper' closed>");
}

// --- ends ----------------------------------------------------------------------------------------

TEST(Process, EndsWithOneIfAnExceptionLeavesTheTarget) {
  EXPECT_EQ(exit_code_of(Process([] {
              close(STDERR_FILENO);
              throw ValueError("no such thing");
            })),
            1);
}

TEST(Process, EndsWithTheCodeOfASystemExit) {
  EXPECT_EQ(exit_code_of(Process([] { throw SystemExit{17}; })), 17);
  EXPECT_EQ(exit_code_of(Process([] { tutti::thread::exit(); })), 0);
}

TEST(Process, TellsTheSignalThatHasKilledIt) {
  Process terminated = sleeper();
  terminated.start();
  EXPECT_TRUE(terminated.is_alive());
  EXPECT_EQ(terminated.exitcode(), std::nullopt);
  terminated.terminate();
  terminated.join();
  EXPECT_EQ(terminated.exitcode(), -SIGTERM);
  EXPECT_FALSE(terminated.is_alive());

  Process killed = sleeper();
  killed.start();
  killed.kill();
  killed.join();
  EXPECT_EQ(killed.exitcode(), -SIGKILL);

  Process interrupted = sleeper();
  interrupted.start();
  interrupted.interrupt();
  interrupted.join();
  EXPECT_EQ(interrupted.exitcode(), -SIGINT);
}

TEST(Process, MayBeSignalledWhenItHasEnded) {
  Process process([] {});
  EXPECT_EQ(exit_code_of(process), 0);
  process.terminate();
  process.kill();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST(Process, WaitsForTheThreadsThatItsTargetHasStarted) {
  const Channel channel;
  EXPECT_EQ(exit_code_of(Process([&] {
              tutti::threading::Thread thread([&] {
                until([&] { return tutti::threading::main_thread().is_alive() == false; });
                channel.tell("the thread ends");
              });
              thread.start();
            })),
            0);
  EXPECT_EQ(channel.hear(), "the thread ends");
}

TEST(Process, WaitsForItsOwnChildren) {
  const Channel go;
  const Channel channel;
  Process process([&] {
    Process([&] {
      go.hear();
      channel.tell("the grandchild ends");
    }).start();
  });
  process.start();
  process.join(0.01);
  EXPECT_EQ(process.exitcode(), std::nullopt);
  go.tell("go");
  process.join();
  EXPECT_EQ(channel.hear(), "the grandchild ends");
}

TEST(Process, TerminatesItsDaemonicChildrenWhenItEnds) {
  const Channel channel;
  Process process([&] {
    Process daemon = sleeper(true);
    daemon.start();
    channel.tell(std::to_string(*daemon.pid()));
  });
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_NE(::kill(std::stoi(channel.hear()), 0), 0);
}

TEST(Process, KillsADaemonicChildThatDoesNotHeedItsTermination) {
  const Channel channel;
  Process process([&] {
    Process daemon({.target =
                        [&] {
                          signal(SIGTERM, SIG_IGN);
                          channel.tell(std::to_string(getpid()));
                          tutti::sleep(3600);
                        },
                    .daemon = true});
    daemon.start();
    channel.tell(channel.hear());
  });
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_NE(::kill(std::stoi(channel.hear()), 0), 0);
}

// --- waiting -------------------------------------------------------------------------------------

TEST(Process, JoinEndsAtItsTimeOut) {
  Process process = sleeper();
  process.start();
  process.join(0.001);
  EXPECT_TRUE(process.is_alive());
  process.join(0);
  process.join(-1);
  EXPECT_TRUE(process.is_alive());
  process.kill();
  process.join();
}

TEST(Process, MayBeJoinedByManyThreads) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't follow a fork among threads";
  Process process = sleeper();
  process.start();
  std::vector<tutti::threading::Thread> threads;
  tutti::atomic<int> joined{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      process.join();
      if (process.exitcode() == -SIGKILL) joined.fetch_add(1);
    });
    threads.back().start();
  }
  until([&] { return threads.back().blocked_on().kind == tutti::runtime::WaitKind::process; });
  process.kill();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(joined.load(), 8);
}

TEST(Process, AWaitForOneIsNoDeadlockAndSaysWhatItWaitsFor) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't follow a fork among threads";
  Process process({.target = [] { tutti::sleep(3600); }, .name = "worker"});
  process.start();
  tutti::threading::Thread joiner([&] { process.join(); });
  joiner.start();
  until([&] { return joiner.state().to_string() == "blocked (other: process 'worker')"; });
  process.kill();
  joiner.join();
}

TEST(Process, JoinIsInterruptible) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't follow a fork among threads";
  Process process = sleeper();
  process.start();
  const auto main = tutti::threading::current_thread();
  tutti::threading::Thread interrupter([&] {
    until([&] { return main.blocked_on().kind == tutti::runtime::WaitKind::process; });
    tutti::thread::interrupt_main();
  });
  interrupter.start();
  EXPECT_THROW(process.join(), tutti::KeyboardInterrupt);
  interrupter.join();
  EXPECT_TRUE(process.is_alive());
  process.kill();
  process.join();
}

TEST(Process, ItsSentinelCanBeReadWhenItHasEnded) {
  Process process = sleeper();
  process.start();
  pollfd sentinel = {process.sentinel(), POLLIN, 0};
  EXPECT_EQ(poll(&sentinel, 1, 0), 0);
  process.kill();
  EXPECT_EQ(poll(&sentinel, 1, -1), 1);
  process.join();
  EXPECT_EQ(poll(&sentinel, 1, 0), 1);
}

TEST(Process, ActiveChildrenAreThoseThatLive) {
  EXPECT_TRUE(active_children().empty());
  Process first = sleeper();
  Process second = sleeper();
  first.start();
  second.start();
  EXPECT_EQ(active_children(), (std::vector<Process>{first, second}));
  first.kill();
  first.join();
  EXPECT_EQ(active_children(), std::vector<Process>{second});
  second.kill();
  until([] { return active_children().empty(); });
  EXPECT_FALSE(has_children());
}

TEST(Process, GoesOnWithoutItsHandle) {
  sleeper().start();
  ASSERT_EQ(active_children().size(), 1u);
  Process again = active_children().front();
  EXPECT_TRUE(again.is_alive());
  again.kill();
  again.join();
  EXPECT_TRUE(active_children().empty());
}

// --- misuse --------------------------------------------------------------------------------------

TEST(Process, CanBeStartedOnce) {
  Process process([] {});
  EXPECT_EQ(exit_code_of(process), 0);
  EXPECT_TRUE(throws<RuntimeError>([&] { process.start(); }, {"can be started once"}));
}

TEST(Process, ADaemonicOneCanHaveNoChildren) {
  const Channel channel;
  EXPECT_EQ(exit_code_of(Process({.target =
                                      [&] {
                                        try {
                                          Process([] {}).start();
                                        } catch (const RuntimeError& error) {
                                          channel.tell(error.what());
                                        }
                                      },
                                  .daemon = true})),
            0);
  EXPECT_NE(channel.hear().find("daemonic processes are not allowed to have children"),
            std::string::npos);
}

TEST(Process, BelongsToTheProcessThatMadeIt) {
  Process sibling = sleeper();
  sibling.start();
  Process unstarted = sleeper();
  const Channel channel;
  EXPECT_EQ(exit_code_of(Process([&] {
              for (void (*call)(Process&) : {+[](Process& process) { process.join(); },
                                             +[](Process& process) { process.terminate(); },
                                             +[](Process& process) { (void)process.is_alive(); },
                                             +[](Process& process) { (void)process.sentinel(); }}) {
                try {
                  call(sibling);
                } catch (const RuntimeError&) {
                  channel.tell("refused ");
                }
              }
              try {
                unstarted.start();
              } catch (const RuntimeError&) {
                channel.tell("refused");
              }
            })),
            0);
  EXPECT_EQ(channel.hear(), "refused refused refused refused refused");
  EXPECT_TRUE(sibling.is_alive());
  sibling.kill();
  sibling.join();
}

TEST(Process, RefusesWhatComesTooEarlyOrTooLate) {
  Process process = sleeper();
  EXPECT_TRUE(throws<RuntimeError>([&] { process.join(); }, {"before it is started"}));
  EXPECT_TRUE(throws<RuntimeError>([&] { process.kill(); }, {"before it is started"}));
  EXPECT_TRUE(throws<ValueError>([&] { (void)process.sentinel(); }, {"no sentinel"}));
  EXPECT_EQ(process.pid(), std::nullopt);
  EXPECT_EQ(process.exitcode(), std::nullopt);
  process.start();
  EXPECT_TRUE(throws<RuntimeError>([&] { process.set_daemon(true); }, {"it is started"}));
  EXPECT_TRUE(throws<ValueError>([&] { process.close(); }, {"still running"}));
  process.kill();
  process.join();
  process.close();
  process.close();
  EXPECT_TRUE(throws<ValueError>([&] { process.join(); }, {"is closed"}));
  EXPECT_TRUE(throws<ValueError>([&] { (void)process.exitcode(); }, {"is closed"}));
  EXPECT_TRUE(throws<RuntimeError>([] { current_process().join(); }, {"not a child"}));
  const int group = 0;
  EXPECT_TRUE(throws<ValueError>([&] { Process wrong(ProcessOptions{.group = &group}); },
                                 {"group argument must be null"}));
}

// --- what the system may do ----------------------------------------------------------------------

TEST(Process, SomebodyElseMayHaveReapedIt) {
  Process process([] { throw SystemExit{3}; });
  process.start();
  ASSERT_EQ(waitpid(static_cast<pid_t>(*process.pid()), nullptr, 0),
            static_cast<pid_t>(*process.pid()));
  process.join();
  EXPECT_EQ(process.exitcode(), 255);
}

TEST(Process, TheKernelMayReapIt) {
  signal(SIGCHLD, SIG_IGN);
  Process process = sleeper();
  process.start();
  EXPECT_TRUE(process.is_alive());
  process.kill();
  process.join();
  EXPECT_EQ(process.exitcode(), 255);
  signal(SIGCHLD, SIG_DFL);
}

TEST(Process, WithoutDescriptorsItIsNotStarted) {
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const Process ended = [] {
    Process process([] {});
    process.start();
    process.join();
    return process;
  }();
  Process process([] { throw SystemExit{4}; });
  const std::size_t open = open_descriptors();
  for (const bool daemon : {false, true}) {
    process.set_daemon(daemon);
    // The lowest free number is given out next.
    const int free = dup(STDERR_FILENO);
    close(free);
    const rlimit none{static_cast<rlim_t>(free) + (daemon ? 2 : 0), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    EXPECT_TRUE(throws<OSError>([&] { process.start(); }, {"ulimit -n"}));
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(open_descriptors(), open);
    EXPECT_FALSE(has_children());
  }
  EXPECT_EQ(exit_code_of(process), 4);
}

// So that the slots in use are few, and a fork, which looks at all of them, stays cheap.
TEST(Process, GivesItsSlotInTheRegistryBackWhenItEnds) {
  const Channel channel;
  const auto slot_of_a_child = [&] {
    EXPECT_EQ(
        exit_code_of(Process([&] {
          channel.tell(std::to_string(tutti::runtime::slot_number(tutti::runtime::self().id)));
        })),
        0);
    return channel.hear();
  };
  const std::string first = slot_of_a_child();
  EXPECT_EQ(slot_of_a_child(), first);
}

TEST(Process, OneThatWasMadeWithoutForkHandlersDoesNotGiveItsParentsSlotBack) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it has handlers that must run";
  EXPECT_EQ(exit_code_of(Process([] {
              const pid_t made = _Fork();
              if (made == 0) return;
              waitpid(made, nullptr, 0);
              throw SystemExit{tutti::runtime::is_dead(tutti::runtime::self().id) ? 1 : 7};
            })),
            7);
}

TEST(Process, LeavesNothingBehind) {
  const char* wanted = std::getenv("TUTTI_TEST_PROCESSES");
  const int starts = wanted == nullptr ? 500 : std::atoi(wanted);
  const std::size_t open = open_descriptors();
  for (int i = 0; i < starts; ++i) {
    Process process({.target = [i] { throw SystemExit{i % 100}; }, .daemon = i % 2 == 0});
    process.start();
    // Some are left to be reaped by later starts.
    if (i % 4 == 0) continue;
    process.join();
    ASSERT_EQ(process.exitcode(), i % 100);
  }
  until([] { return active_children().empty(); });
  EXPECT_EQ(open_descriptors(), open);
  EXPECT_FALSE(has_children());
}

}  // namespace tests
