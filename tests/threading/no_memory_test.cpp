#include <gtest/gtest.h>
#include <tutti/threading.h>

#include <exception>
#include <string>

#include "demo/failing_memory.h"

namespace tests {

namespace {

using tutti::threading::Thread;

// Lets one allocation after the other be the first that fails, until the starter needs no more.
TEST(Thread, OfALongNameRunsOnceStartedThoughMemoryIsOut) {
  int errors = 0;
  bool has_started = false;
  for (int successes = 0; !has_started; ++successes) {
    bool has_run = false;
    Thread thread({.target = [&has_run] { has_run = true; }, .name = std::string(100, 'n')});
    FailingMemory memory(successes, Shortage::for_good);
    try {
      thread.start();
      has_started = true;
      thread.join();
    } catch (const std::exception&) {
      ++errors;
    }
    memory.end();
    EXPECT_EQ(has_run, has_started) << "after " << successes << " allocations";
  }
  EXPECT_GT(errors, 0);
}

}  // namespace

}  // namespace tests
