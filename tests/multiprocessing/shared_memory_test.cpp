// SharedMemory: names, what is refused, and who cleans up.
#include "tutti/multiprocessing/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "support/forked.h"
#include "support/python.h"
#include "support/sanitizer.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/multiprocessing/connection.h"

namespace tests {

namespace fs = std::filesystem;
using tutti::multiprocessing::Connection;
using tutti::multiprocessing::Pipe;
using tutti::multiprocessing::SharedMemory;

bool exists(const std::string& name) {
  return fs::exists("/dev/shm/" + name);
}

std::string own_name(const std::string& name) {
  return "tutti-test-" + name + "-" + std::to_string(getpid());
}

// Unlinks it in the end.
struct Owned {
  SharedMemory memory;
  explicit Owned(std::ptrdiff_t size) : memory({.create = true, .size = size}) {}
  explicit Owned(const std::string& name, std::ptrdiff_t size = 1) : memory(name, true, size) {}
  ~Owned() { memory.unlink(); }
};

// --- blocks --------------------------------------------------------------------------------------

TEST(SharedMemory, ANewBlockIsZeroedAndHasTheSizeAskedFor) {
  const Owned block(1000);
  EXPECT_EQ(block.memory.size(), 1000u);
  EXPECT_EQ(block.memory.buf().size(), 1000u);
  EXPECT_EQ(std::ranges::count(block.memory.buf(), std::byte{0}), 1000);
}

TEST(SharedMemory, MadeUpNamesAreLikePythons) {
  const Owned block(1);
  EXPECT_EQ(block.memory.name().size(), 12u);
  EXPECT_TRUE(block.memory.name().starts_with("psm_")) << block.memory.name();
  EXPECT_TRUE(exists(block.memory.name()));
}

TEST(SharedMemory, WhoAttachesSeesTheSameMemory) {
  const Owned block(own_name("same"), 100);
  const SharedMemory other(block.memory.name());
  EXPECT_EQ(other.size(), 100u);
  other.buf()[99] = std::byte{7};
  EXPECT_EQ(block.memory.buf()[99], std::byte{7});
}

TEST(SharedMemory, AChildMadeByForkHasItToo) {
  const Owned block(100);
  Forked child([&] {
    block.memory.buf()[0] = std::byte{7};
    return 0;
  });
  EXPECT_EQ(child.join(), 0);
  EXPECT_EQ(block.memory.buf()[0], std::byte{7});
}

TEST(SharedMemory, ASlashBeforeTheNameMakesNoDifference) {
  const Owned block("/" + own_name("slash"));
  EXPECT_EQ(block.memory.name(), own_name("slash"));
  EXPECT_EQ(SharedMemory("/" + own_name("slash")).name(), own_name("slash"));
}

TEST(SharedMemory, ABlockIsWhatTheSystemsOwnCallsFind) {
  const Owned block(own_name("shm_open"), 10);
  const int found = shm_open(("/" + block.memory.name()).c_str(), O_RDWR, 0);
  EXPECT_GE(found, 0);
  EXPECT_EQ(lseek(found, 0, SEEK_END), 10);
  close(found);
}

TEST(SharedMemory, UnlinkedItLivesAsLongAsItIsMapped) {
  const SharedMemory memory({.create = true, .size = 10});
  const SharedMemory other(memory.name());
  memory.unlink();
  EXPECT_FALSE(exists(memory.name()));
  memory.buf()[0] = std::byte{7};
  EXPECT_EQ(other.buf()[0], std::byte{7});
  EXPECT_TRUE(throws<tutti::FileNotFoundError>([&] { other.unlink(); }, {memory.name()}));
}

TEST(SharedMemory, ClosedItCanStillBeUnlinked) {
  const SharedMemory memory({.create = true, .size = 10});
  const SharedMemory copy = memory;
  memory.close();
  memory.close();
  EXPECT_TRUE(throws<tutti::ValueError>([&] { copy.buf(); }, {"it is closed"}));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { copy.map<int>(); }, {"it is closed"}));
  EXPECT_TRUE(exists(memory.name()));
  copy.unlink();
  EXPECT_FALSE(exists(memory.name()));
}

// --- what is refused -----------------------------------------------------------------------------

TEST(SharedMemory, ANameIsTakenOnce) {
  const Owned block(own_name("taken"));
  EXPECT_TRUE(throws<tutti::FileExistsError>([] { SharedMemory(own_name("taken"), true, 1); },
                                             {own_name("taken"), "the name is taken"}));
  EXPECT_EQ(block.memory.size(), 1u);
}

TEST(SharedMemory, ThereMustBeSomethingToAttachTo) {
  EXPECT_TRUE(
      throws<tutti::FileNotFoundError>([] { SharedMemory(own_name("none")); }, {own_name("none")}));
  EXPECT_TRUE(throws<tutti::ValueError>([] { SharedMemory(std::nullopt); }, {"needs a name"}));
}

TEST(SharedMemory, ABlockWithoutAByteIsNone) {
  EXPECT_TRUE(throws<tutti::ValueError>([] { SharedMemory({.create = true}); }, {"positive"}));
  EXPECT_TRUE(throws<tutti::ValueError>([] { SharedMemory({.create = true, .size = -1}); }));
  const std::string name = own_name("empty");
  close(shm_open(("/" + name).c_str(), O_CREAT | O_RDWR, 0600));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { SharedMemory{name}; }, {"no bytes"}));
  shm_unlink(("/" + name).c_str());
}

TEST(SharedMemory, NamesThatAreNoneAreRefused) {
  using namespace std::literals;
  for (const std::string& name : {""s, "/"s, "a/b"s, "."s, ".."s, "a\0b"s, std::string(255, 'x')}) {
    EXPECT_TRUE(throws<tutti::ValueError>([&] { SharedMemory(name, true, 1); }));
    EXPECT_TRUE(throws<tutti::ValueError>([&] { SharedMemory{name}; }));
  }
}

TEST(SharedMemory, TooLittleRoomIsAnErrorAtOnce) {
  const fs::space_info space = fs::space("/dev/shm");
  const auto too_much = static_cast<std::ptrdiff_t>(space.capacity) + (std::ptrdiff_t{1} << 30);
  EXPECT_TRUE(throws<tutti::OSError>([&] { SharedMemory({.create = true, .size = too_much}); },
                                     {"not enough room"}));
}

TEST(SharedMemory, ALinkIsNotFollowed) {
  const std::string name = own_name("link");
  fs::create_symlink("/etc/passwd", "/dev/shm/" + name);
  EXPECT_TRUE(throws<tutti::OSError>([&] { SharedMemory{name}; }));
  fs::remove("/dev/shm/" + name);
}

// --- map -----------------------------------------------------------------------------------------

struct Point {
  double x;
  double y;
};

TEST(SharedMemory, MapsAsObjectsOfAType) {
  const Owned block(100);
  EXPECT_EQ(block.memory.map<Point>().size(), 6u);
  EXPECT_EQ(block.memory.map<Point>(16).size(), 5u);
  EXPECT_EQ(block.memory.map<Point>(16, 2).size(), 2u);
  block.memory.map<Point>()[1] = {1.5, 2.5};
  EXPECT_EQ(block.memory.map<double>(16, 2)[1], 2.5);
  EXPECT_TRUE(block.memory.map<char>(100).empty());
}

TEST(SharedMemory, MapRefusesWhatLiesOutsideOrBetween) {
  const Owned block(100);
  using tutti::ValueError;
  EXPECT_TRUE(throws<ValueError>([&] { block.memory.map<Point>(0, 7); }, {"beyond", "100 bytes"}));
  EXPECT_TRUE(throws<ValueError>([&] { block.memory.map<char>(101); }, {"beyond"}));
  EXPECT_TRUE(throws<ValueError>([&] { block.memory.map<Point>(16, SIZE_MAX / 8); }, {"beyond"}));
  EXPECT_TRUE(throws<ValueError>([&] { block.memory.map<Point>(4); }, {"no multiple of 8"}));
}

// --- Python --------------------------------------------------------------------------------------

TEST(SharedMemory, APythonProgramAttachesToOurs) {
  const Owned block(own_name("ours"), 64);
  block.memory.map<std::int64_t>()[0] = 41;
  // CPython 3.11 would remove what it has only attached to.
  Python python(
      "import sys\n"
      "from multiprocessing import resource_tracker, shared_memory\n"
      "memory = shared_memory.SharedMemory(sys.argv[1])\n"
      "resource_tracker.unregister(memory._name, 'shared_memory')\n"
      "numbers = memory.buf.cast('q')\n"
      "numbers[1] = numbers[0] + 1\n"
      "numbers.release()\n"
      "sys.exit(memory.size)\n",
      {block.memory.name()});
  EXPECT_EQ(python.join(), 64);
  EXPECT_EQ(block.memory.map<std::int64_t>()[1], 42);
}

TEST(SharedMemory, WeAttachToAPythonProgramsBlock) {
  auto [here, there] = Pipe();
  Python python(
      "import sys\n"
      "from multiprocessing import shared_memory\n"
      "from multiprocessing.connection import Connection\n"
      "connection = Connection(int(sys.argv[1]))\n"
      "memory = shared_memory.SharedMemory(create=True, size=100)\n"
      "memory.buf[:5] = b'hello'\n"
      "connection.send_bytes(memory.name.encode())\n"
      "connection.recv_bytes()\n"
      "answer = memory.buf[0]\n"
      "memory.unlink()\n"
      "sys.exit(answer)\n",
      {std::to_string(there.fileno())}, {there.fileno()});
  const auto name = here.recv_bytes();
  const SharedMemory memory(std::string(reinterpret_cast<const char*>(name.data()), name.size()));
  EXPECT_EQ(memory.map<char>(4, 1)[0], 'o');
  memory.map<char>()[0] = 77;
  here.send_bytes("done");
  EXPECT_EQ(python.join(), 77);
}

// --- who cleans up -------------------------------------------------------------------------------

// Empty when the process has gone meanwhile.
std::string program_name_of(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return name;
}

std::string link_of(const fs::path& path) {
  std::error_code gone;
  return fs::read_symlink(path, gone);
}

// The process that holds the other end of a pipe of ours; 0 if there is none. The standard streams
// may be those of other tests too, whose survivors still have them as they begin.
pid_t survivor() {
  std::set<std::string> ours;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    if (std::stoi(entry.path().filename()) > STDERR_FILENO) ours.insert(link_of(entry.path()));
  }
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (program_name_of(entry.path()) == "tutti-survivor" &&
        ours.contains(link_of(entry.path() / "fd/0"))) {
      return std::stoi(name);
    }
  }
  return 0;
}

// Children that make blocks, and what is printed on standard error when they are no more.
class LeftMemory : public testing::Test {
 protected:
  Connection here;
  Connection there;

  void SetUp() override {
    std::tie(here, there) = Pipe();
    std::tie(errors_read_, errors_write_) = Pipe(false);
  }
  // In the child.
  void begin() {
    here.close();
    errors_read_.close();
    dup2(errors_write_.fileno(), STDERR_FILENO);
    errors_write_.close();
  }
  void tell(const std::string& name) { there.send_bytes(name); }
  std::string hear() {
    const auto name = here.recv_bytes();
    return {reinterpret_cast<const char*>(name.data()), name.size()};
  }
  // Until nobody can print anything any more: the survivor has ended.
  std::string errors() {
    errors_write_.close();
    std::string all;
    std::array<char, 256> some;
    for (;;) {
      const ssize_t size = read(errors_read_.fileno(), some.data(), some.size());
      if (size <= 0) return all;
      all.append(some.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  Connection errors_read_;
  Connection errors_write_;
};

TEST_F(LeftMemory, OfAKilledProgramIsRemovedWithAWarning) {
  Forked child([&] {
    begin();
    const SharedMemory memory({.create = true, .size = 10});
    tell(memory.name());
    pause();
    return 0;
  });
  const std::string name = hear();
  EXPECT_TRUE(exists(name));
  child.kill();
  child.join();
  EXPECT_EQ(errors(), "tutti: the program has ended without unlink() of the shared memory '" +
                          name + "', which is removed now\n");
  EXPECT_FALSE(exists(name));
}

TEST_F(LeftMemory, StaysAsLongAsAForkedChildOfTheProgramLives) {
  std::array<pid_t, 1> grandchild;
  Forked child([&] {
    begin();
    const SharedMemory memory({.create = true, .size = 10});
    Forked inner([&] {
      pause();
      return 0;
    });
    grandchild[0] = inner.pid();
    tell(memory.name());
    there.send_bytes(grandchild);
    pause();
    return 0;
  });
  there.close();
  const std::string name = hear();
  here.recv_bytes_into(grandchild);
  child.kill();
  child.join();
  EXPECT_TRUE(exists(name));
  kill(grandchild[0], SIGKILL);
  EXPECT_NE(errors().find(name), std::string::npos);
  EXPECT_FALSE(exists(name));
}

TEST_F(LeftMemory, OfAProgramThatOnlyAttachedStays) {
  const Owned block(10);
  Forked child([&] {
    begin();
    const SharedMemory memory(block.memory.name());
    return 0;
  });
  EXPECT_EQ(child.join(), 0);
  EXPECT_EQ(errors(), "");
  EXPECT_TRUE(exists(block.memory.name()));
}

TEST_F(LeftMemory, IsNotLookedAfterIfItIsNotTracked) {
  Forked child([&] {
    begin();
    const SharedMemory memory(own_name("untracked"), true, 10, false);
    return 0;
  });
  const std::string name = "tutti-test-untracked-" + std::to_string(child.pid());
  EXPECT_EQ(child.join(), 0);
  EXPECT_EQ(errors(), "");
  EXPECT_TRUE(exists(name));
  SharedMemory(name).unlink();
}

TEST_F(LeftMemory, ThatWasUnlinkedIsForgottenAlsoIfTheNameIsSomebodyElses) {
  Forked child([&] {
    begin();
    // One that is tracked to the end, so that there is a survivor.
    const SharedMemory other({.create = true, .size = 10});
    const SharedMemory memory({.create = true, .size = 10});
    memory.unlink();
    tell(memory.name());
    pause();
    return 0;
  });
  const Owned same_name(hear());
  child.kill();
  child.join();
  EXPECT_EQ(errors().find(same_name.memory.name()), std::string::npos);
  EXPECT_TRUE(exists(same_name.memory.name()));
}

// Unlinked past the library, so it is still listed.
TEST_F(LeftMemory, IsNotMistakenForAnotherBlockOfItsName) {
  Forked child([&] {
    begin();
    const SharedMemory memory({.create = true, .size = 10});
    shm_unlink(("/" + memory.name()).c_str());
    tell(memory.name());
    pause();
    return 0;
  });
  const Owned same_name(hear());
  child.kill();
  child.join();
  EXPECT_EQ(errors(), "");
  EXPECT_TRUE(exists(same_name.memory.name()));
}

TEST_F(LeftMemory, IsLookedAfterByAProcessThatDisturbsNobody) {
  EXPECT_EQ(survivor(), 0);
  pid_t process = 0;
  {
    const Owned block(10);
    until([&] { return (process = survivor()) != 0; });
    EXPECT_EQ(getsid(process), process);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
    EXPECT_EQ(errno, ECHILD);
    std::set<std::string> open;
    until([&] {
      open.clear();
      for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
        open.insert(entry.path().filename());
      }
      return open == std::set<std::string>{"0", "2"};
    });
    kill(process, SIGINT);
    kill(process, SIGTERM);
    const Owned another(10);
    EXPECT_EQ(survivor(), process);
  }
  // It goes with the last block.
  until([&] { return link_of("/proc/" + std::to_string(process) + "/fd/0").empty(); });
}

// In kB, of /proc/<process>/smaps_rollup.
std::size_t memory_of(pid_t process, const std::string& kind) {
  std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
  std::string word;
  std::size_t size = 0;
  while (file >> word) {
    if (word == kind + ":" && file >> size) return size;
  }
  ADD_FAILURE() << "no " << kind << " of process " << process;
  return 0;
}

bool has_mapped(pid_t process, const std::string& path) {
  std::ifstream file("/proc/" + std::to_string(process) + "/maps");
  for (std::string line; std::getline(file, line);) {
    if (line.find(path) != std::string::npos) return true;
  }
  return false;
}

TEST_F(LeftMemory, IsLookedAfterByAProcessThatHoldsNoMemoryOfTheProgram) {
  constexpr std::size_t large = std::size_t{64} << 20;
  const SharedMemory untracked({.create = true, .size = 100, .track = false});
  const std::vector<char> heap(large, 'x');
  const Owned block(100);
  pid_t process = 0;
  until([&] { return (process = survivor()) != 0; });
  EXPECT_TRUE(has_mapped(getpid(), "/dev/shm/"));
  EXPECT_FALSE(has_mapped(process, "/dev/shm/"));
  EXPECT_GE(memory_of(getpid(), "Private_Dirty"), heap.size() >> 10);
  // AddressSanitizer has memory of its own in each program.
  if (!under_address_sanitizer) {
    EXPECT_LT(memory_of(process, "Private_Dirty"), (large / 4) >> 10);
  }
  untracked.unlink();
}

TEST_F(LeftMemory, AChildMayUnlinkItsParentsBlock) {
  const SharedMemory memory({.create = true, .size = 10});
  Forked child([&] {
    memory.unlink();
    return 0;
  });
  EXPECT_EQ(child.join(), 0);
  EXPECT_TRUE(throws<tutti::FileNotFoundError>([&] { memory.unlink(); }));
}

}  // namespace tests
