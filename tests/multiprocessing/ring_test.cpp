// Rings of threads of several processes, which wait for each other's locks.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/errors.h"
#include "tutti/multiprocessing.h"
#include "tutti/threading.h"

namespace tests {

using tutti::DeadlockError;
using tutti::OwnerDiedError;
using tutti::multiprocessing::Barrier;
using tutti::multiprocessing::get_context;
using tutti::multiprocessing::Lock;
using tutti::multiprocessing::Process;
using tutti::multiprocessing::Queue;
using tutti::multiprocessing::RLock;

namespace {

std::string own_process() {
  return "of process " + std::to_string(getpid());
}

testing::AssertionResult tells(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (text.find(part) == std::string::npos) {
      return testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
    }
  }
  return testing::AssertionSuccess();
}

/// What became of the members of a ring.
struct Outcomes {
  std::atomic<int> holding{0};
  std::atomic<int> went_on{0};
  std::atomic<int> threw{0};
  std::array<char, 2000> text{};

  void hold_until_all(int members) {
    ++holding;
    until([&] { return holding >= members; }, "all have their first lock");
  }
  /// Acquires what the next member holds, and writes down what comes of it.
  template <typename AnyLock>
  void close_ring(AnyLock& next) {
    try {
      const std::scoped_lock second(next);
      ++went_on;
    } catch (const DeadlockError& error) {
      std::snprintf(text.data(), text.size(), "%s", error.what());
      ++threw;
    }
  }
};

template <typename AnyLock>
struct SharedRingOf : testing::Test {};
using Locks = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(SharedRingOf, Locks);

template <typename AnyLock>
void expect_ring_of(int members) {
  std::vector<AnyLock> locks;
  for (int i = 0; i < members; ++i) locks.emplace_back("lock " + std::to_string(i));
  const auto outcomes = make_shared_with_children<Outcomes>();
  std::vector<std::string> parts{"deadlock: " + std::to_string(members) + " threads of " +
                                     std::to_string(members) + " processes wait for each other",
                                 "the last to begin to wait"};
  {
    std::vector<std::unique_ptr<Forked>> children;
    for (int i = 0; i < members; ++i) {
      children.push_back(std::make_unique<Forked>([&, i] {
        const std::scoped_lock first(locks[i]);
        outcomes->hold_until_all(members);
        outcomes->close_ring(locks[(i + 1) % members]);
      }));
    }
    for (int i = 0; i < members; ++i) {
      const std::string thread =
          "thread 'MainThread' of process " + std::to_string(children[i]->pid());
      parts.push_back(thread + " waits for " + (std::is_same_v<AnyLock, Lock> ? "" : "R") +
                      "Lock 'lock " + std::to_string((i + 1) % members) + "'");
      parts.push_back("and holds " + std::string(std::is_same_v<AnyLock, Lock> ? "" : "R") +
                      "Lock 'lock " + std::to_string(i) + "'");
      EXPECT_EQ(children[i]->join(), 0);
    }
  }
  EXPECT_EQ(outcomes->threw, 1);
  EXPECT_EQ(outcomes->went_on, members - 1);
  EXPECT_TRUE(tells(outcomes->text.data(), parts));
}

}  // namespace

TYPED_TEST(SharedRingOf, TwoProcessesIsADeadlockInOneOfThem) {
  expect_ring_of<TypeParam>(2);
}

TYPED_TEST(SharedRingOf, ThreeProcessesIsADeadlockInOneOfThem) {
  expect_ring_of<TypeParam>(3);
}

TYPED_TEST(SharedRingOf, ThreadsOfOneProcessIsADeadlock) {
  TypeParam left("left"), right("right");
  Outcomes outcomes;
  const auto work = [&](TypeParam& first, TypeParam& second) {
    const std::scoped_lock held(first);
    outcomes.hold_until_all(2);
    outcomes.close_ring(second);
  };
  tutti::threading::Thread one([&] { work(left, right); });
  tutti::threading::Thread other([&] { work(right, left); });
  one.start();
  other.start();
  one.join();
  other.join();
  EXPECT_EQ(outcomes.threw, 1);
  EXPECT_EQ(outcomes.went_on, 1);
  EXPECT_TRUE(tells(outcomes.text.data(),
                    {"deadlock: 2 threads wait for each other", "Lock 'left'", "Lock 'right'"}));
}

namespace {

template <typename AnyLock>
void take_both(AnyLock first, AnyLock second, Barrier both_hold, Queue<std::string> outcomes) {
  const std::scoped_lock held(first);
  both_hold.wait();
  try {
    const std::scoped_lock last(second);
    outcomes.put("went on");
  } catch (const DeadlockError& error) {
    outcomes.put(error.what());
  }
}

}  // namespace

TYPED_TEST(SharedRingOf, SpawnedProcessesIsADeadlockInOneOfThem) {
  TypeParam left("left"), right("right");
  Barrier both_hold(2);
  Queue<std::string> outcomes;
  auto context = get_context("spawn");
  auto one = context.Process(take_both<TypeParam>, left, right, both_hold, outcomes);
  auto other = context.Process(take_both<TypeParam>, right, left, both_hold, outcomes);
  one.start();
  other.start();
  const std::string first = outcomes.get(), second = outcomes.get();
  one.join();
  other.join();
  EXPECT_EQ(one.exitcode(), 0);
  EXPECT_EQ(other.exitcode(), 0);
  EXPECT_TRUE((first == "went on") != (second == "went on"));
  EXPECT_TRUE(tells(
      first == "went on" ? second : first,
      {"2 threads of 2 processes", "Lock 'left'", "Lock 'right'",
       "of process " + std::to_string(*one.pid()), "of process " + std::to_string(*other.pid())}));
}

// Each main thread waits for a lock of a thread of its own, and that for the other main thread's.
TEST(SharedRing, GoesThroughLocksOfItsProcesses) {
  Lock left("left"), right("right");
  const auto outcomes = make_shared_with_children<Outcomes>();
  const auto work = [&](Lock& first, Lock& second) {
    std::unique_lock held(first);
    tutti::threading::Lock inner("inner");
    tutti::threading::Event has_inner;
    tutti::threading::Thread thread([&] {
      const std::scoped_lock own(inner);
      has_inner.set();
      outcomes->hold_until_all(2);
      outcomes->close_ring(second);
    });
    thread.start();
    has_inner.wait();
    outcomes->close_ring(inner);
    held.unlock();
    thread.join();
  };
  Forked other([&] { work(left, right); });
  work(right, left);
  EXPECT_EQ(other.join(), 0);
  EXPECT_EQ(outcomes->threw, 1);
  EXPECT_EQ(outcomes->went_on, 3);
  EXPECT_TRUE(tells(outcomes->text.data(), {"4 threads of 2 processes", "Lock 'inner'",
                                            "Lock 'left'", "Lock 'right'", own_process()}));
}

// The parent's main thread joins a thread that waits for what the child has.
TEST(SharedRing, GoesThroughJoins) {
  Lock left("left"), right("right");
  const auto outcomes = make_shared_with_children<Outcomes>();
  Forked child([&] {
    const std::scoped_lock held(right);
    outcomes->hold_until_all(2);
    outcomes->close_ring(left);
  });
  std::unique_lock held(left);
  tutti::threading::Thread thread([&] {
    outcomes->hold_until_all(2);
    outcomes->close_ring(right);
  });
  thread.start();
  try {
    thread.join();
  } catch (const DeadlockError& error) {
    std::snprintf(outcomes->text.data(), outcomes->text.size(), "%s", error.what());
    ++outcomes->threw;
  }
  held.unlock();
  thread.join();
  EXPECT_EQ(child.join(), 0);
  EXPECT_EQ(outcomes->threw, 1);
  EXPECT_TRUE(
      tells(outcomes->text.data(), {"3 threads of 2 processes", "waits for the end of thread",
                                    "Lock 'left'", "Lock 'right'", own_process()}));
}

// The child throws: its parent's join is passed over.
TEST(SharedRing, GoesThroughAJoinOfAProcessWithOneThread) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it has a thread of its own in each process";
  Lock lock("held by the parent");
  Queue<std::string> outcomes;
  // What is left of an earlier wait has no part in it.
  tutti::threading::Thread earlier([] { tutti::sleep_for(std::chrono::milliseconds(20)); });
  earlier.start();
  earlier.join();
  Process child([&] {
    try {
      lock.acquire();
    } catch (const DeadlockError& error) {
      outcomes.put(error.what());
    }
  });
  {
    const std::scoped_lock held(lock);
    child.start();
    child.join();
  }
  EXPECT_EQ(child.exitcode(), 0);
  EXPECT_TRUE(tells(outcomes.get(),
                    {"2 threads of 2 processes", "waits for the end of ", own_process(),
                     "waits for Lock 'held by the parent'", "and holds Lock 'held by the parent'",
                     "thrown in thread 'MainThread' of process " + std::to_string(*child.pid())}));
}

TEST(SharedRing, IsNoneIfAWaitHasADeadline) {
  Lock left("left"), right("right");
  const auto outcomes = make_shared_with_children<Outcomes>();
  Forked patient([&] {
    const std::scoped_lock held(left);
    outcomes->hold_until_all(2);
    outcomes->close_ring(right);
  });
  {
    const std::scoped_lock held(right);
    outcomes->hold_until_all(2);
    // Some looks long: rings are found after 10 ms.
    EXPECT_FALSE(left.acquire(0.2));
  }
  EXPECT_EQ(patient.join(), 0);
  EXPECT_EQ(outcomes->threw, 0);
  EXPECT_EQ(outcomes->went_on, 1);
}

TEST(SharedRing, BreaksWhenAMemberIsKilled) {
  Lock left("left"), right("right");
  const auto outcomes = make_shared_with_children<Outcomes>();
  Forked killed([&] {
    const std::scoped_lock held(left);
    outcomes->hold_until_all(2);
    pause();
  });
  const std::scoped_lock held(right);
  outcomes->hold_until_all(2);
  std::thread killer([&] { killed.kill(); });
  EXPECT_TRUE(throws<OwnerDiedError>([&] { left.acquire(); }, {"Lock 'left'", "recover()"}));
  killer.join();
}

// A Lock that another thread than its owner releases is nobody's.
TEST(SharedRing, HasNoPartInSignals) {
  Lock left("left"), signal("signal");
  signal.acquire();
  const auto outcomes = make_shared_with_children<Outcomes>();
  Forked other([&] {
    signal.release();
    signal.acquire();
    outcomes->hold_until_all(2);
    left.acquire();
    left.release();
    signal.release();
  });
  left.acquire();
  outcomes->hold_until_all(2);
  EXPECT_FALSE(signal.acquire(0.1));
  left.release();
  signal.acquire();
  EXPECT_EQ(other.join(), 0);
}

}  // namespace tests
