// Shared memory: seen by children, of a fixed size, and with errors that say what is short.
#include "tutti/multiprocessing/segment.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "support/throws.h"
#include "tutti/errors.h"

namespace tests {

using tutti::multiprocessing::Segment;

TEST(Segment, IsZeroAndOfTheSizeAskedFor) {
  const Segment segment = Segment::make(100'000, "test");
  EXPECT_EQ(segment.size(), 100'000u);
  for (std::size_t i = 0; i < segment.size(); ++i) ASSERT_EQ(segment.data()[i], std::byte{0});
}

TEST(Segment, IsSharedWithAForkedChild) {
  const Segment segment = Segment::make(4096, "test");
  const pid_t child = fork();
  if (child == 0) {
    segment.data()[17] = std::byte{42};
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(segment.data()[17], std::byte{42});
}

TEST(Segment, CopiesAreTheSameMemory) {
  Segment copy;
  EXPECT_FALSE(copy);
  {
    const Segment segment = Segment::make(4096, "test");
    copy = segment;
    EXPECT_EQ(copy, segment);
    segment.data()[0] = std::byte{1};
  }
  EXPECT_EQ(copy.data()[0], std::byte{1});
}

TEST(Segment, IsAdoptedByItsDescriptor) {
  const Segment segment = Segment::make(5000, "test");
  const Segment adopted = Segment::adopt(dup(segment.descriptor()), 5000, "test");
  EXPECT_EQ(adopted.size(), 5000u);
  adopted.data()[4999] = std::byte{7};
  EXPECT_EQ(segment.data()[4999], std::byte{7});
}

// A sparse one would be written down in full.
TEST(Segment, IsLeftOutOfCoreDumps) {
  const Segment segment = Segment::make(5000, "test");
  std::ifstream maps("/proc/self/smaps");
  std::ostringstream begin;
  begin << std::hex << reinterpret_cast<std::uintptr_t>(segment.data()) << '-';
  std::string line;
  while (std::getline(maps, line) && !line.starts_with(begin.str())) {
  }
  while (std::getline(maps, line) && !line.starts_with("VmFlags:")) {
  }
  EXPECT_NE(line.find(" dd"), std::string::npos) << line;
}

TEST(Segment, NobodyCanCutItOff) {
  const Segment segment = Segment::make(5000, "test");
  EXPECT_NE(ftruncate(segment.descriptor(), 0), 0);
  EXPECT_EQ(errno, EPERM);
}

TEST(Segment, AFileThatCouldBeCutOffIsNotAdopted) {
  const int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(ftruncate(file, 5000), 0);
  EXPECT_TRUE(throws<tutti::ValueError>([&] { Segment::adopt(file, 1, "test"); },
                                        {"shared memory 'test'", "sealed"}));
  EXPECT_EQ(fcntl(file, F_GETFD), -1) << "it is closed all the same";
}

TEST(Segment, OneThatIsTooSmallIsNotAdopted) {
  const Segment segment = Segment::make(5000, "test");
  EXPECT_TRUE(throws<tutti::ValueError>(
      [&] { Segment::adopt(dup(segment.descriptor()), 5001, "test"); }, {"5000 bytes"}));
}

TEST(Segment, WithoutADescriptorTheErrorSaysSo) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto thrown = throws<tutti::OSError>([] { Segment::make(4096, "test"); },
                                             {"'test'", "Too many open files", "ulimit -n"});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(thrown);
}

TEST(Segment, WithoutMemoryTheErrorSaysSoAndNoDescriptorIsLost) {
  const int next = dup(0);
  close(next);
  try {
    Segment::make(std::size_t{1} << 47, "test");
    FAIL() << "128 TiB";
  } catch (const tutti::OSError& error) {
    EXPECT_EQ(error.code(), ENOMEM);
    EXPECT_NE(std::string(error.what()).find("no memory"), std::string::npos) << error.what();
  }
  const int same = dup(0);
  EXPECT_EQ(same, next);
  close(same);
}

}  // namespace tests
