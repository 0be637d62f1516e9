// Linked into every test program: at its end no thread, file descriptor or shared memory may be
// left.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "tutti/threading.h"

namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
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
    EXPECT_LE(open_descriptors(), descriptors_) << "file descriptors are left open";
    for (const std::string& name : shared_memory()) {
      EXPECT_TRUE(memory_.contains(name)) << "/dev/shm/" << name << " is left";
    }
  }

 private:
  std::size_t descriptors_ = 0;
  std::set<std::string> memory_;
};

[[maybe_unused]] const auto* const added = testing::AddGlobalTestEnvironment(new NoLeaks);

}  // namespace
