// Linked into every test program: at its end no thread, file descriptor or shared memory may be
// left.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <concepts>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "tutti/threading.h"

namespace {

// What each open descriptor leads to: "socket:[4711]".
std::multiset<std::string> open_descriptors() {
  std::multiset<std::string> open;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    open.insert(std::filesystem::read_symlink(entry, none));
  }
  return open;
}

// Names that end in another process's number are that one's: tests run side by side.
bool is_anothers(const std::string& name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string::npos || dash + 1 == name.size()) return false;
  const std::string number = name.substr(dash + 1);
  return number.find_first_not_of("0123456789") == std::string::npos &&
         number != std::to_string(getpid());
}

std::set<std::string> shared_memory() {
  std::set<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", none)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("tutti") && !is_anothers(name)) names.insert(name);
  }
  return names;
}

// Threads that nobody joins take a moment to leave.
template <std::predicate Condition>
bool soon(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class NoLeaks : public testing::Environment {
 public:
  void SetUp() override {
    descriptors_ = open_descriptors();
    memory_ = shared_memory();
  }

  void TearDown() override {
    if (!soon([] { return tutti::threading::active_count() == 1; })) {
      for (const auto& thread : tutti::threading::enumerate()) {
        ADD_FAILURE() << "still alive at the end: " << thread.to_string() << " "
                      << thread.state().to_string();
      }
    }
    const std::multiset<std::string> left = open_descriptors();
    if (left.size() > descriptors_.size()) {
      for (const std::string& open : left) {
        EXPECT_TRUE(descriptors_.contains(open)) << "a file descriptor is left open: " << open;
      }
      EXPECT_LE(left.size(), descriptors_.size()) << "file descriptors are left open";
    }
    for (const std::string& name : shared_memory()) {
      EXPECT_TRUE(memory_.contains(name)) << "/dev/shm/" << name << " is left";
    }
  }

 private:
  std::multiset<std::string> descriptors_;
  std::set<std::string> memory_;
};

[[maybe_unused]] const auto* const added = testing::AddGlobalTestEnvironment(new NoLeaks);

}  // namespace
