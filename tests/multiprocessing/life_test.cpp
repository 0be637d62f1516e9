// Threads of other processes: whether they live.
#include "runtime/life.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "runtime/self.h"
#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

using tutti::runtime::is_dead;
using tutti::runtime::ThreadId;
using tutti::threading::Thread;

struct Ids {
  std::atomic<ThreadId> first{0};
  std::atomic<ThreadId> second{0};
  std::atomic<bool> may_go_on{false};
};

ThreadId own_id() {
  return tutti::runtime::self().id;
}

TEST(Life, OfAnUnknownThreadIsOver) {
  EXPECT_TRUE(is_dead(0));
  EXPECT_TRUE(is_dead(0xfffffff));
}

TEST(Life, OfAThreadEndsWithIt) {
  Ids ids;
  Thread thread([&] {
    ids.first = own_id();
    until([&] { return ids.may_go_on.load(); });
  });
  thread.start();
  until([&] { return ids.first != 0; });
  EXPECT_FALSE(is_dead(ids.first));
  ids.may_go_on = true;
  thread.join();
  until([&] { return is_dead(ids.first); });
}

TEST(Life, OfAProcessThatIsKilledEndsForAllWhoShareTheRegistry) {
  const auto ids = make_shared_with_children<Ids>();
  const ThreadId parent = own_id();
  Forked child([&] {
    if (is_dead(parent)) return;
    ids->first = own_id();
    pause();
  });
  until([&] { return ids->first != 0; });
  EXPECT_FALSE(is_dead(ids->first));
  Forked sibling([&] {
    ids->second = own_id();
    until([&] { return is_dead(ids->first); });
  });
  until([&] { return ids->second != 0; });
  child.kill();
  EXPECT_TRUE(is_dead(ids->first));
  EXPECT_EQ(sibling.join(), 0);
  EXPECT_TRUE(is_dead(ids->second)) << "it has ended by itself";
}

TEST(Life, OfThreadsThatAreNotTheMainOneEndsWithTheirProcess) {
  if (under_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer: threads in a fork's child";
  const auto ids = make_shared_with_children<Ids>();
  Forked child([&] {
    Thread thread([&] {
      ids->first = own_id();
      pause();
    });
    thread.start();
    pause();
  });
  until([&] { return ids->first != 0; });
  EXPECT_FALSE(is_dead(ids->first));
  child.kill();
  EXPECT_TRUE(is_dead(ids->first));
}

TEST(Life, EndsWhenTheProcessBecomesAnotherProgram) {
  const auto ids = make_shared_with_children<Ids>();
  Forked child([&] {
    ids->first = own_id();
    execlp("sleep", "sleep", "100", nullptr);
  });
  until([&] { return ids->first != 0 && is_dead(ids->first); });
  EXPECT_EQ(getpgid(child.pid()), getpgrp()) << "the process itself lives";
}

TEST(Life, OfTheForkingThreadIsNotTheChilds) {
  const auto ids = make_shared_with_children<Ids>();
  const ThreadId parent = own_id();
  Forked child([&] { ids->first = own_id(); });
  EXPECT_EQ(child.join(), 0);
  EXPECT_NE(ids->first, parent);
  EXPECT_FALSE(is_dead(parent));
}

// Slots of killed processes come back before the numbers run out.
TEST(Life, ManyMayBeCutShort) {
  if (under_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer: threads in a fork's child";
  const auto count = make_shared_with_children<std::atomic<int>>(0);
  constexpr int threads = 50;
  const std::uint32_t before = tutti::runtime::last_slot();
  for (int round = 1; round <= 60; ++round) {
    Forked child([&] {
      std::array<std::unique_ptr<Thread>, threads> all;
      for (auto& thread : all) {
        thread = std::make_unique<Thread>([&] {
          ++*count;
          pause();
        });
        thread->start();
      }
      pause();
    });
    until([&] { return *count == round * threads; });
  }
  EXPECT_LT(tutti::runtime::last_slot(), before + 1100);
}

}  // namespace tests
