// The check for leaks itself: programs that leave something behind fail.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "support/run_program.h"
#include "tutti/threading.h"

namespace tests {

// Each of these is run alone in a process of its own.
TEST(DISABLED_Leak, Nothing) {}

TEST(DISABLED_Leak, Thread) {
  static tutti::threading::Event never;
  tutti::threading::Thread({.target = [] { never.wait(); }, .name = "squatter", .daemon = true})
      .start();
}

TEST(DISABLED_Leak, Descriptor) {
  ASSERT_GE(dup(0), 0);
}

TEST(DISABLED_Leak, SharedMemory) {
  const std::string name = "/tutti-leak-test-" + std::to_string(getpid());
  ASSERT_EQ(close(shm_open(name.c_str(), O_CREAT | O_RDWR, 0600)), 0);
}

Ended run_alone(const std::string& test) {
  return run_program("/proc/self/exe",
                     {"--gtest_also_run_disabled_tests", "--gtest_filter=DISABLED_Leak." + test});
}

TEST(NoLeaks, PassesAProgramThatLeavesNothing) {
  EXPECT_EQ(run_alone("Nothing").code, 0);
}

TEST(NoLeaks, FindsAThread) {
  const Ended ended = run_alone("Thread");
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.out.find("squatter"), std::string::npos) << ended.out;
}

TEST(NoLeaks, FindsAnOpenFile) {
  EXPECT_EQ(run_alone("Descriptor").code, 1);
}

TEST(NoLeaks, FindsSharedMemory) {
  const Ended ended = run_alone("SharedMemory");
  EXPECT_EQ(ended.code, 1);
  const std::size_t name = ended.out.find("tutti-leak-test-");
  ASSERT_NE(name, std::string::npos) << ended.out;
  shm_unlink(("/" + ended.out.substr(name, ended.out.find(' ', name) - name)).c_str());
}

}  // namespace tests
