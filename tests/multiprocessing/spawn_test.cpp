// Processes that are no copies of their parent: what they can be told, and what they have of it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "multiprocessing/fork_server.h"
#include "multiprocessing/telling.h"
#include "runtime/registry.h"
#include "support/start_methods.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/multiprocessing.h"
#include "tutti/tutti.h"

namespace tests {

using tutti::RuntimeError;
using tutti::TypeError;
using tutti::ValueError;
using tutti::multiprocessing::current_process;
using tutti::multiprocessing::get_context;
using tutti::multiprocessing::parent_process;
using tutti::multiprocessing::Process;
using tutti::multiprocessing::ProcessOptions;
using tutti::multiprocessing::StartMethod;
using tutti::thread::SystemExit;

namespace {

int changed_by_main = 0;

struct Scaled {
  int factor;
  void operator()(int number) const { throw SystemExit{factor * number}; }
};

void add(int a, const std::vector<int>& numbers, const std::map<std::string, int>& named) {
  for (const int number : numbers) a += number;
  for (const auto& [name, number] : named) a += number * static_cast<int>(name.size());
  throw SystemExit{a};
}

void sleep_long() {
  tutti::sleep(3600);
}

void tell_who_it_is(const Mouth& mouth) {
  const auto parent = parent_process();
  mouth.tell(current_process().name() + " " + parent->name() + " " +
             std::to_string(parent->pid().value()) + (parent->is_alive() ? " alive " : " gone ") +
             current_process().authkey() + " " + tutti::multiprocessing::get_start_method() +
             (current_process().daemon() ? " daemon" : ""));
}

void tell_ident(const Mouth& mouth) {
  mouth.tell(std::to_string(tutti::threading::get_ident()));
  sleep_long();
}

}  // namespace

class Told : public testing::TestWithParam<StartMethod> {
 protected:
  // The fork server lives as long as its program otherwise.
  void TearDown() override { tutti::multiprocessing::fork_server::stop(); }

  Process made(ProcessOptions options) {
    options.start_method = GetParam();
    return Process(std::move(options));
  }
  int exit_code_of(tutti::multiprocessing::Callable target) {
    return tests::exit_code_of(made({.target = std::move(target)}));
  }
};

TEST_P(Told, CallsAFunctionWithItsArguments) {
  const std::map<std::string, int> named = {{"a", 1}, {"four", 10}};
  EXPECT_EQ(exit_code_of({add, 1, std::vector<int>{2, 3}, named}), 47);
}

TEST_P(Told, CallsALambdaWithoutCaptures) {
  EXPECT_EQ(exit_code_of({[](const std::string& text) { throw SystemExit{text == "text" ? 6 : 7}; },
                          std::string("text")}),
            6);
}

TEST_P(Told, CallsAnObjectThatCrosses) {
  EXPECT_EQ(exit_code_of({Scaled{6}, 7}), 42);
}

TEST_P(Told, NeedsNoTarget) {
  EXPECT_EQ(tests::exit_code_of(made({})), 0);
}

TEST_P(Told, SharesNoMemoryWithItsParent) {
  changed_by_main = 5;
  EXPECT_EQ(exit_code_of([] { throw SystemExit{changed_by_main}; }), 0);
  changed_by_main = 0;
}

TEST_P(Told, KnowsWhoItIs) {
  const std::string key = current_process().authkey();
  current_process().set_authkey("secret");
  const Channel channel;
  Process process =
      made({.target = {tell_who_it_is, channel.mouth()}, .name = "child", .daemon = true});
  process.start();
  EXPECT_EQ(channel.hear(),
            "child MainProcess " + std::to_string(getpid()) + " alive secret fork daemon");
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  current_process().set_authkey(key);
}

TEST_P(Told, HasOnlyItsOwnDescriptors) {
  const int none_of_its = dup(STDERR_FILENO);
  // The standard ones, the registry, the folder that is looked at; and, if there is one, its end of
  // the life line.
  EXPECT_LE(exit_code_of([] { throw SystemExit{static_cast<int>(open_descriptors())}; }), 6);
  close(none_of_its);
}

TEST_P(Told, HasAnEmptyStandardInput) {
  EXPECT_EQ(exit_code_of([] {
              char byte;
              throw SystemExit{read(STDIN_FILENO, &byte, 1) == 0 ? 21 : 22};
            }),
            21);
}

TEST_P(Told, EndsWithOneIfAnExceptionLeavesTheTarget) {
  EXPECT_EQ(exit_code_of([] {
              close(STDERR_FILENO);
              throw ValueError("no such thing");
            }),
            1);
}

TEST_P(Told, CanBeKilledAndWaitedFor) {
  Process process = made({.target = sleep_long});
  process.start();
  EXPECT_TRUE(process.is_alive());
  process.join(0);
  EXPECT_EQ(process.exitcode(), std::nullopt);
  process.kill();
  process.join();
  EXPECT_EQ(process.exitcode(), -SIGKILL);
  EXPECT_TRUE(tutti::multiprocessing::active_children().empty());
}

TEST_P(Told, MayHaveChildrenOfAnyKind) {
  EXPECT_EQ(exit_code_of([] {
              int sum = 0;
              for (const StartMethod method :
                   {StartMethod::fork, StartMethod::spawn, StartMethod::forkserver}) {
                Process child({.target = {[](int code) { throw SystemExit{code}; }, 4},
                               .start_method = method});
                child.start();
                child.join();
                sum += child.exitcode().value_or(100);
              }
              throw SystemExit{sum};
            }),
            12);
}

TEST_P(Told, SharesTheRegistryOfThreads) {
  namespace runtime = tutti::runtime;
  const Channel channel;
  Process process = made({.target = {tell_ident, channel.mouth()}});
  process.start();
  const auto ident = static_cast<runtime::ThreadId>(std::stoul(channel.hear()));
  const runtime::Slot& slot = runtime::slot_at(runtime::slot_number(ident));
  EXPECT_EQ(runtime::id_of(slot), ident);
  EXPECT_EQ(slot.process.load(), process.pid());
  process.kill();
  process.join();
}

TEST_P(Told, RefusesWhatCannotCross) {
  int number = 0;
  Process closure = made({.target = [&number] { ++number; }});
  EXPECT_TRUE(throws<TypeError>([&] { closure.start(); },
                                {"its target, of type", "can't cross between processes"}));
  Process pointer = made({.target = {[](int, const int*) {}, 1, &number}});
  EXPECT_TRUE(throws<TypeError>([&] { pointer.start(); },
                                {"argument 2 of its target, of type 'int*'", "can't cross"}));
  struct Derived : Process {
    explicit Derived(StartMethod method) : Process(ProcessOptions{.start_method = method}) {}
    void run() override {}
  };
  Derived derived(GetParam());
  EXPECT_TRUE(throws<TypeError>([&] { derived.start(); }, {"overrides run()"}));
}

TEST_P(Told, LeavesNothingBehind) {
  // One before: the first start may make what is kept for others.
  EXPECT_EQ(exit_code_of([] {}), 0);
  const std::size_t open = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    Process process =
        made({.target = {[](int code) { throw SystemExit{code}; }, i}, .daemon = i % 2 == 0});
    process.start();
    process.join();
    ASSERT_EQ(process.exitcode(), i);
  }
  EXPECT_EQ(open_descriptors(), open);
}

INSTANTIATE_TEST_SUITE_P(Process, Told,
                         testing::Values(StartMethod::spawn, StartMethod::forkserver),
                         name_of_start_method);

// --- the fork server -----------------------------------------------------------------------------

void tell_server(const Mouth& mouth) {
  mouth.tell(std::to_string(getppid()));
  sleep_long();
}

TEST(ForkServer, IsReplacedWhenItWasKilled) {
  const Channel channel;
  Process first(
      {.target = {tell_server, channel.mouth()}, .start_method = StartMethod::forkserver});
  first.start();
  const pid_t server = std::stoi(channel.hear());
  EXPECT_NE(server, getpid());
  ASSERT_EQ(kill(server, SIGKILL), 0);
  // Its child goes on, but nobody is left who is told its exit code.
  EXPECT_TRUE(first.is_alive());
  first.kill();
  first.join();
  EXPECT_EQ(first.exitcode(), 255);

  Process second(
      {.target = {tell_server, channel.mouth()}, .start_method = StartMethod::forkserver});
  // It may be dying still, and take the request with it.
  until([&] {
    try {
      second.start();
      return true;
    } catch (const tutti::OSError&) {
      return false;
    }
  });
  EXPECT_NE(std::stoi(channel.hear()), server);
  second.kill();
  second.join();
  EXPECT_EQ(second.exitcode(), -SIGKILL);
  tutti::multiprocessing::fork_server::stop();
}

bool waits_for_a_process(const tutti::threading::Thread& thread) {
  return thread.state().to_string().find("process") != std::string::npos;
}

TEST(ForkServer, AStartThatWaitsForItIsSeenAndCanBeInterrupted) {
  const Channel channel;
  Process first(
      {.target = {tell_server, channel.mouth()}, .start_method = StartMethod::forkserver});
  first.start();
  const pid_t server = std::stoi(channel.hear());
  ASSERT_EQ(kill(server, SIGSTOP), 0);
  Process second({.target = {sleep_long}, .start_method = StartMethod::forkserver});
  tutti::threading::Thread interrupter([] {
    until([] { return waits_for_a_process(tutti::threading::main_thread()); });
    tutti::thread::interrupt_main();
  });
  interrupter.start();
  EXPECT_TRUE(throws<tutti::KeyboardInterrupt>([&] { second.start(); }));
  interrupter.join();
  Process third({.target = [] {}, .start_method = StartMethod::forkserver});
  tutti::threading::Thread starter([&] { third.start(); });
  starter.start();
  until([&] { return waits_for_a_process(starter); });
  ASSERT_EQ(kill(server, SIGCONT), 0);
  starter.join();
  third.join();
  EXPECT_EQ(third.exitcode(), 0);
  // As one that was never started.
  EXPECT_TRUE(throws<RuntimeError>([&] { second.join(); }, {"before it is started"}));
  first.kill();
  first.join();
  tutti::multiprocessing::fork_server::stop();
}

// --- contexts ------------------------------------------------------------------------------------

TEST(Context, MakesProcessesOfItsStartMethod) {
  changed_by_main = 9;
  auto spawned = get_context("spawn").Process([] { throw SystemExit{changed_by_main}; });
  auto forked = get_context("fork").Process({.target = [] { throw SystemExit{changed_by_main}; }});
  for (Process* process : {&spawned, &forked}) {
    process->start();
    process->join();
  }
  changed_by_main = 0;
  EXPECT_EQ(spawned.exitcode(), 0);
  EXPECT_EQ(forked.exitcode(), 9);
}

TEST(Context, RefusesAMethodThatIsNone) {
  EXPECT_TRUE(
      throws<ValueError>([] { get_context("clone"); }, {"cannot find context for 'clone'"}));
}

TEST(Context, TheStartMethodIsSetOnce) {
  namespace multiprocessing = tutti::multiprocessing;
  EXPECT_EQ(multiprocessing::get_start_method(), "fork");
  EXPECT_TRUE(throws<RuntimeError>([] { multiprocessing::set_start_method("spawn"); },
                                   {"already been set, to fork"}));
  multiprocessing::set_start_method("spawn", {.force = true});
  EXPECT_EQ(get_context().get_start_method(), "spawn");
  multiprocessing::set_start_method("fork", {.force = true});
}

TEST(Callable, AFunctionIsFoundByItsName) {
  namespace multiprocessing = tutti::multiprocessing;
  const auto address = reinterpret_cast<std::uintptr_t>(&sleep_long);
  const multiprocessing::FunctionName name = multiprocessing::name_function(address);
  EXPECT_EQ(name.module, "");
  EXPECT_EQ(multiprocessing::find_function(name), address);

  const auto of_library = reinterpret_cast<std::uintptr_t>(&getpid);
  const multiprocessing::FunctionName elsewhere = multiprocessing::name_function(of_library);
  EXPECT_NE(elsewhere.module.find("libc"), std::string::npos);
  EXPECT_EQ(multiprocessing::find_function(elsewhere), of_library);
}

TEST(Callable, AFunctionOfAnotherBuildIsRefused) {
  namespace multiprocessing = tutti::multiprocessing;
  multiprocessing::FunctionName name =
      multiprocessing::name_function(reinterpret_cast<std::uintptr_t>(&sleep_long));
  name.build += "0";
  EXPECT_TRUE(
      throws<RuntimeError>([&] { multiprocessing::find_function(name); }, {"has been replaced"}));
  name.module = "/no/such/library.so";
  EXPECT_TRUE(throws<RuntimeError>([&] { multiprocessing::find_function(name); },
                                   {"/no/such/library.so", "No such file"}));
  const int on_the_stack = 0;
  EXPECT_TRUE(throws<RuntimeError>(
      [&] { multiprocessing::name_function(reinterpret_cast<std::uintptr_t>(&on_the_stack)); },
      {"made at run time"}));
}

}  // namespace tests
