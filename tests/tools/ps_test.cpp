// `tutti ps`: running programs as others see them.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "runtime/registry.h"
#include "support/until.h"
#include "tools/command.h"

namespace tests {

using Json = nlohmann::json;

std::string ps(pid_t pid) {
  const Ended ended = tutti({"ps", number(pid)});
  EXPECT_EQ(ended.code, 0) << ended.err;
  return ended.out;
}

Json json_of(pid_t pid) {
  const Ended ended = tutti({"ps", "--json", number(pid)});
  EXPECT_EQ(ended.code, 0) << ended.err;
  return Json::parse(ended.out).at(0);
}

// Threads by their names.
std::map<std::string, Json> threads_of(const Json& program) {
  std::map<std::string, Json> threads;
  for (const Json& thread : program.at("threads")) threads[thread.at("name")] = thread;
  return threads;
}

TEST(Ps, ShowsWhatEachThreadDoesAndWhoHoldsWhatItWaitsFor) {
  const Background program = hanging("many-ways");
  until_told(program);
  const std::string table = ps(program.pid());
  EXPECT_TRUE(
      has_line(table, "^process " + number(program.pid()) + " \\(program_hung\\), 9 threads$"));
  EXPECT_TRUE(has_line(table, "^ +THREAD +TID +STATE +WAITS FOR +HELD BY +FOR +LEFT$"));
  EXPECT_TRUE(has_line(table, "^ +MainThread +" + number(program.pid()) +
                                  " +blocked \\(wait pool\\) +Event at 0x\\w+ +[0-9.]+ s$"));
  EXPECT_TRUE(
      has_line(table, "^  @  Anna \\(daemon\\) .*\\(lock pool\\) +Lock 'right' +Bert +[0-9.]+ s$"));
  EXPECT_TRUE(
      has_line(table, "^  @  Bert \\(daemon\\) .*\\(lock pool\\) +Lock 'left' +Anna +[0-9.]+ s$"));
  EXPECT_TRUE(has_line(table, "joiner .*\\(other\\) +join of Anna +[0-9.]+ s$"));
  EXPECT_TRUE(has_line(table, "sleeper .*\\(other\\) +sleep +[0-9.]+ s +27 h 46 min$"));
  EXPECT_TRUE(has_line(table, "getter .*\\(wait pool\\) +empty Queue 'jobs' +[0-9.]+ s$"));
  EXPECT_TRUE(
      has_line(table, "patient .*\\(wait pool\\) +Event at 0x\\w+ +[0-9.]+ s +27 h 46 min$"));
  EXPECT_TRUE(has_line(table, "reader .*\\(other\\) +I/O$"));
}

TEST(Ps, TellsTheRing) {
  const Background program = hanging("many-ways");
  until_told(program);
  EXPECT_TRUE(has(ps(program.pid()),
                  "  @ deadlock: Anna waits for Lock 'right', which Bert has; "
                  "Bert waits for Lock 'left', which Anna has\n"));
}

TEST(Ps, LetsNoControlCharactersOfNamesThrough) {
  const Background program = hanging("many-ways");
  const std::string table = ps(program.pid());
  EXPECT_TRUE(has(table, "odd?[31m? (daemon)"));
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
}

TEST(Ps, TellsThreadsOfOneNameApartByTheirNumbers) {
  const Background program = hanging("twins");
  until_told(program);
  EXPECT_TRUE(has_line(ps(program.pid()),
                       "@ deadlock: twin \\(tid \\d+\\) waits for Lock 'right', which twin \\(tid "
                       "\\d+\\) has; twin \\(tid \\d+\\) waits for Lock 'left', which twin "
                       "\\(tid \\d+\\) has$"));
}

TEST(Ps, TellsTheSameToScripts) {
  const Background program = hanging("many-ways");
  until_told(program);
  const Json json = json_of(program.pid());
  EXPECT_EQ(json.at("pid"), program.pid());
  EXPECT_EQ(json.at("program"), "program_hung");
  EXPECT_EQ(json.at("stopped"), false);
  EXPECT_EQ(json.at("rings"), Json::parse(R"([["Anna", "Bert"]])"));
  auto threads = threads_of(json);
  const Json& anna = threads.at("Anna");
  EXPECT_EQ(anna.at("daemon"), true);
  EXPECT_EQ(anna.at("in_ring"), true);
  EXPECT_EQ(anna.at("state"), "blocked (lock pool)");
  EXPECT_EQ(anna.at("waits_for").at("kind"), "Lock");
  EXPECT_EQ(anna.at("waits_for").at("name"), "right");
  EXPECT_EQ(anna.at("waits_for").at("holder"), "Bert");
  EXPECT_EQ(anna.at("waits_for").at("holder_tid"), threads.at("Bert").at("tid"));
  EXPECT_EQ(anna.at("waits_for").at("left"), nullptr);
  EXPECT_GT(anna.at("waits_for").at("for"), 0);
  EXPECT_FALSE(anna.at("waits_for").at("stack").empty());
  EXPECT_GT(threads.at("patient").at("waits_for").at("left"), 0);
  EXPECT_EQ(threads.at("MainThread").at("main"), true);
  EXPECT_EQ(threads.at("MainThread").at("in_ring"), false);
}

TEST(Ps, ListsAllProgramsOfThisMachineButItself) {
  const Background one = hanging("wait");
  const Background two = hanging("wait");
  // The shell says which process it is, and becomes the command.
  const Ended ended = run_program("/bin/sh", {"-c", "echo $$; exec \"$0\" ps", TUTTI_COMMAND});
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(has(ended.out, "process " + number(one.pid()) + " (program_hung), 1 thread\n"));
  EXPECT_TRUE(has(ended.out, "process " + number(two.pid()) + " (program_hung), 1 thread\n"));
  const std::string itself = ended.out.substr(0, ended.out.find('\n'));
  EXPECT_FALSE(has(ended.out, "process " + itself + " "));
}

TEST(Ps, KeepsTheThreadsOfForkedProcessesApart) {
  const Background program = hanging("fork");
  EXPECT_EQ(threads_of(json_of(program.pid())).size(), 1u);
  std::vector<std::string> children;
  for (const Json& each : Json::parse(tutti({"ps", "--json"}).out)) {
    if (threads_of(each).count("child") != 0) children.push_back(each.at("program"));
  }
  EXPECT_EQ(children, std::vector<std::string>{"program_hung"});
}

TEST(Ps, ShowsAStoppedProgramAsItStands) {
  const Background program = hanging("many-ways");
  until_told(program);
  program.send(SIGSTOP);
  until([&] { return program.is_stopped(); });
  const std::string table = ps(program.pid());
  EXPECT_TRUE(has(table, "9 threads, stopped\n"));
  EXPECT_TRUE(has(table, "deadlock: Anna waits for"));
  EXPECT_EQ(program.state(), 'T');
}

TEST(Ps, LetsAProgramGoOn) {
  const Background program = hanging("come-and-go");
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(has(ps(program.pid()), "maker"));
  EXPECT_NE(program.state(), 'T');
}

TEST(Ps, MayBeAskedOfAProgramThatIsBeingKilled) {
  for (int i = 0; i < 20; ++i) {
    Background program = hanging("come-and-go");
    std::thread killer([&] { program.end(); });
    const Ended ended = tutti({"ps", number(program.pid())});
    killer.join();
    if (ended.code == 0) continue;
    EXPECT_EQ(ended.code, 1);
    EXPECT_TRUE(has_line(ended.err, "there is no process|has ended|is about to end")) << i;
  }
}

TEST(Ps, SaysWhichProcessIsNotThere) {
  Background program = hanging("wait");
  program.end();
  const Ended ended = tutti({"ps", number(program.pid())});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "tutti: there is no process " + number(program.pid()) + "\n");
}

TEST(Ps, ShowsTheOthersIfOneIsNotThere) {
  const Background program = hanging("wait");
  const Ended ended = tutti({"ps", "0", number(program.pid())});
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(has(ended.out, "MainThread"));
}

TEST(Ps, SaysWhichProgramHasNoTuttiThreads) {
  const Background program("/bin/sh", {"-c", "echo hangs; exec sleep 1000"});
  until([&] {
    return tutti({"ps", number(program.pid())}).err.find("(sleep)") != std::string::npos;
  });
  const Ended ended = tutti({"ps", number(program.pid())});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "tutti: process " + number(program.pid()) +
                           " (sleep) has no tutti threads to show: it does not use tutti, or it "
                           "has opted out (TUTTI_INSPECT=off, inspect::hide())\n");
}

TEST(Ps, LeavesOutWhoHasOptedOut) {
  const Background by_call = hanging("hide");
  const Background by_variable = hanging("wait", {"TUTTI_INSPECT=off"});
  for (const Background* program : {&by_call, &by_variable}) {
    const Ended ended = tutti({"ps", number(program->pid())});
    EXPECT_EQ(ended.code, 1);
    EXPECT_TRUE(has(ended.err, "it has opted out"));
    EXPECT_FALSE(has(tutti({"ps"}).out, "process " + number(program->pid()) + " "));
  }
}

TEST(Ps, IsForTheSameUserAndRootOnly) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const std::vector<std::string> as_nobody{"--reuid", "65534", "--clear-groups"};
  const auto run_as_nobody = [&](std::vector<std::string> command) {
    command.insert(command.begin(), as_nobody.begin(), as_nobody.end());
    return run_program("/usr/bin/setpriv", command);
  };
  if (run_as_nobody({"test", "-x", TUTTI_COMMAND}).code != 0) {
    GTEST_SKIP() << "other users don't reach the build's folder";
  }
  const Background program = hanging("wait");
  const Ended ended = run_as_nobody({TUTTI_COMMAND, "ps", number(program.pid())});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "tutti: not permitted to look into process " + number(program.pid()) +
                           " (program_hung) of user root: only that user and root may\n");
  EXPECT_FALSE(has(run_as_nobody({TUTTI_COMMAND, "ps"}).out, "program_hung"));
}

// --- registries that are not what they should be -------------------------------------------------

// A second registry in this process, which has one of its own.
class OtherRegistry {
 public:
  OtherRegistry() {
    const int file = memfd_create(tutti::runtime::registry_name, MFD_CLOEXEC);
    EXPECT_EQ(ftruncate(file, size), 0);
    pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
  }
  ~OtherRegistry() { munmap(pages, size); }
  OtherRegistry(const OtherRegistry&) = delete;
  OtherRegistry& operator=(const OtherRegistry&) = delete;

  tutti::runtime::RegistryHeader& header() {
    return *static_cast<tutti::runtime::RegistryHeader*>(pages);
  }
  void label() {
    header().magic = tutti::runtime::RegistryHeader::expected_magic;
    header().layout = tutti::runtime::RegistryHeader::current_layout;
    header().slot_size = sizeof(tutti::runtime::Slot);
  }

  /// In use by a thread of this process.
  tutti::runtime::Slot& slot(std::size_t place, pid_t thread) {
    tutti::runtime::Slot& found = static_cast<tutti::runtime::Slot*>(pages)[place];
    found.process = static_cast<std::uint32_t>(getpid());
    found.thread = static_cast<std::uint32_t>(thread);
    found.occupancy = tutti::runtime::Occupancy{}.next().word;
    found.enter(tutti::runtime::SlotPhase::running);
    return found;
  }

  static constexpr std::size_t size = 300 * sizeof(tutti::runtime::Slot);
  void* pages = nullptr;
};

TEST(Ps, SaysWhichProgramIsOfAnotherVersion) {
  OtherRegistry other;
  other.label();
  other.header().layout = 99;
  const Ended ended = tutti({"ps", number(getpid())});
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(has(ended.err, "another version of tutti (its registry has layout 99"));
}

TEST(Ps, IgnoresARegistryThatIsJustBeingMade) {
  const OtherRegistry other;
  EXPECT_TRUE(has(ps(getpid()), "1 thread\n"));
}

// As a preloaded library has one beside the program's own: there the threads have other ids, and
// other waits.
TEST(Ps, TellsAThreadOfTwoRegistriesOnce) {
  tutti::threading::Event stop;
  std::atomic<pid_t> tid{0};
  std::thread holder([&] {
    tid = gettid();
    stop.wait();
  });
  until([&] { return tid != 0; });
  OtherRegistry other;
  other.label();
  other.header().last = 2;
  tutti::runtime::Slot& main = other.slot(1, getpid());
  main.flags = tutti::runtime::Slot::foreign_flag;
  main.name.set("ps_test");
  main.kind = tutti::runtime::WaitKind::lock;
  main.object = 0x1234;
  main.since = tutti::platform::now();
  main.deadline = tutti::platform::never;
  main.holder = 1 << 16 | 2;
  main.record_stamp = 2;
  main.details_stamp = 2;
  other.slot(2, tid).name.set("holder");

  until([&] { return bool(has_line(ps(getpid()), "holder .*Event at")); });
  const std::string table = ps(getpid());
  EXPECT_TRUE(has_line(table, ", 2 threads$"));
  EXPECT_TRUE(has_line(table, "^ +MainThread +" + number(getpid()) +
                                  " +blocked \\(lock pool\\) +Lock at 0x1234 +holder "));
  stop.set();
  holder.join();
}

TEST(Ps, SurvivesARegistryFullOfNonsense) {
  OtherRegistry other;
  std::mt19937 random(6);
  for (int round = 0; round < 5; ++round) {
    auto* words = static_cast<std::uint32_t*>(other.pages);
    for (std::size_t i = 0; i < OtherRegistry::size / sizeof *words; ++i) {
      words[i] = static_cast<std::uint32_t>(random());
    }
    // Half of them look whole, and like this process's.
    auto* slots = static_cast<tutti::runtime::Slot*>(other.pages);
    for (std::size_t i = 0; i < 300; i += 2) {
      slots[i].record_stamp = 2;
      slots[i].details_stamp = 2;
      slots[i].process = static_cast<std::uint32_t>(getpid());
    }
    other.label();
    other.header().hidden = 0;
    other.header().last = 0xffffffff;
    EXPECT_TRUE(has(ps(getpid()), "process " + number(getpid())));
  }
}

}  // namespace tests
