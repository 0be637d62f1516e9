// The states that a thread goes through, and what it says it waits for.
#include "tutti/threading/thread_state.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <sstream>
#include <string>

#include "support/throws.h"
#include "support/until.h"
#include "tutti/inspect.h"
#include "tutti/threading.h"

namespace tests {

namespace threading = tutti::threading;
using threading::BlockedOn;
using threading::Phase;
using threading::Thread;
using threading::ThreadState;
using threading::WaitKind;

// A thread that blocks somewhere, and what the test must do to let it go on.
struct Scene {
  Scene(std::function<void()> blocks, std::function<void()> frees)
      : thread(std::move(blocks)), free(std::move(frees)) {
    thread.start();
  }
  ~Scene() {
    free();
    thread.join();
    EXPECT_EQ(thread.state(), Phase::dead);
    EXPECT_EQ(thread.blocked_on(), BlockedOn());
  }
  void expect(Phase phase, WaitKind kind, const void* object) {
    until([&] { return thread.state() == phase; }, threading::to_string(phase));
    const ThreadState state = thread.state();
    EXPECT_EQ(state.blocked_on.kind, kind);
    EXPECT_EQ(state.blocked_on.object, object);
    EXPECT_EQ(thread.blocked_on(), state.blocked_on);
    text = state.to_string();
  }

  Thread thread;
  std::function<void()> free;
  std::string text;
};

TEST(ThreadState, IsNewBeforeTheStartAndDeadAfterTheEnd) {
  Thread thread([] {});
  EXPECT_EQ(thread.state(), Phase::new_thread);
  EXPECT_EQ(thread.blocked_on().kind, WaitKind::none);
  EXPECT_EQ(thread.state().to_string(), "new");
  thread.start();
  thread.join();
  EXPECT_EQ(thread.state(), Phase::dead);
  EXPECT_EQ(thread.state().to_string(), "dead");
}

TEST(ThreadState, IsRunningOrReadyWhileItComputes) {
  std::atomic<bool> computing{false};
  std::atomic<bool> enough{false};
  Thread thread([&] {
    computing = true;
    while (!enough) {
    }
  });
  thread.start();
  until([&] { return computing.load(); });
  until([&] { return thread.state() == Phase::running; });
  EXPECT_EQ(thread.state().to_string(), "running");
  EXPECT_EQ(thread.blocked_on().to_string(), "");
  enough = true;
  thread.join();
}

TEST(ThreadState, OfTheCallerIsRunning) {
  EXPECT_EQ(threading::current_thread().state(), Phase::running);
}

TEST(ThreadState, IsInTheLockPoolOfALock) {
  threading::Lock lock;
  lock.acquire();
  Scene scene([&] { const std::scoped_lock held(lock); }, [&] { lock.release(); });
  scene.expect(Phase::blocked_in_lock_pool, WaitKind::lock, &lock);
  EXPECT_EQ(scene.text, "blocked (lock pool: Lock at " + address_of(&lock) + ")");
}

TEST(ThreadState, IsInTheLockPoolOfAnRLock) {
  threading::RLock lock;
  lock.acquire();
  Scene scene([&] { const std::scoped_lock held(lock); }, [&] { lock.release(); });
  scene.expect(Phase::blocked_in_lock_pool, WaitKind::rlock, &lock);
  EXPECT_EQ(scene.text, "blocked (lock pool: RLock at " + address_of(&lock) + ")");
}

TEST(ThreadState, IsInTheWaitPoolOfACondition) {
  threading::Condition condition;
  Scene scene(
      [&] {
        const std::scoped_lock held(condition);
        condition.wait();
      },
      [&] {
        const std::scoped_lock held(condition);
        condition.notify();
      });
  scene.expect(Phase::blocked_in_wait_pool, WaitKind::condition, &condition);
  EXPECT_EQ(scene.text, "blocked (wait pool: Condition at " + address_of(&condition) + ")");
}

// From the notification on it waits for the lock, which the notifier still holds.
TEST(ThreadState, MovesFromTheWaitPoolToTheLockPoolWhenNotified) {
  threading::Lock lock;
  threading::Condition condition(lock);
  Scene scene(
      [&] {
        const std::scoped_lock held(lock);
        condition.wait();
      },
      [] {});
  scene.expect(Phase::blocked_in_wait_pool, WaitKind::condition, &condition);
  const std::scoped_lock held(lock);
  condition.notify();
  EXPECT_EQ(scene.thread.state(), Phase::blocked_in_lock_pool);
  EXPECT_EQ(scene.thread.blocked_on(), (BlockedOn{WaitKind::lock, &lock}));
}

TEST(ThreadState, IsInTheWaitPoolOfASemaphore) {
  threading::Semaphore semaphore(0);
  Scene scene([&] { semaphore.acquire(); }, [&] { semaphore.release(); });
  scene.expect(Phase::blocked_in_wait_pool, WaitKind::semaphore, &semaphore);
  EXPECT_EQ(scene.text, "blocked (wait pool: Semaphore at " + address_of(&semaphore) + ")");
}

TEST(ThreadState, IsInTheWaitPoolOfAnEvent) {
  threading::Event event;
  Scene scene([&] { event.wait(); }, [&] { event.set(); });
  scene.expect(Phase::blocked_in_wait_pool, WaitKind::event, &event);
  EXPECT_EQ(scene.text, "blocked (wait pool: Event at " + address_of(&event) + ")");
}

TEST(ThreadState, IsInTheWaitPoolOfABarrier) {
  threading::Barrier barrier(2);
  Scene scene([&] { barrier.wait(); }, [&] { barrier.wait(); });
  scene.expect(Phase::blocked_in_wait_pool, WaitKind::barrier, &barrier);
  EXPECT_EQ(scene.text, "blocked (wait pool: Barrier at " + address_of(&barrier) + ")");
}

TEST(ThreadState, IsBlockedOtherwiseInASleep) {
  Scene scene([] { tutti::sleep(0.2); }, [] {});
  scene.expect(Phase::blocked_otherwise, WaitKind::sleep, nullptr);
  EXPECT_EQ(scene.text, "blocked (other: sleep)");
}

TEST(ThreadState, IsBlockedOtherwiseInAJoin) {
  threading::Event go;
  Thread joined({.target = [&] { go.wait(); }, .name = "Worker-1"});
  joined.start();
  Scene scene([&] { joined.join(); }, [&] { go.set(); });
  until([&] { return scene.thread.state() == Phase::blocked_otherwise; });
  EXPECT_EQ(scene.thread.blocked_on().kind, WaitKind::join);
  EXPECT_EQ(scene.thread.state().to_string(), "blocked (other: join of Worker-1)");
}

TEST(ThreadState, IsBlockedOtherwiseInASystemCall) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Scene scene(
      [&] {
        char byte;
        EXPECT_EQ(read(ends[0], &byte, 1), 1);
      },
      [&] { EXPECT_EQ(write(ends[1], "x", 1), 1); });
  scene.expect(Phase::blocked_otherwise, WaitKind::io, nullptr);
  EXPECT_EQ(scene.text, "blocked (other: I/O)");
  scene.free();
  scene.free = [] {};
  scene.thread.join();
  close(ends[0]);
  close(ends[1]);
}

TEST(ThreadState, IsBlockedOtherwiseWhereTheProgramSaysSo) {
  std::atomic<bool> go{false};
  Scene scene(
      [&] {
        const tutti::inspect::Blocking foreign_library;
        while (!go) {
        }
      },
      [&] { go = true; });
  scene.expect(Phase::blocked_otherwise, WaitKind::io, nullptr);
}

TEST(ThreadState, IsNotBlockedAnyMoreAfterATimeout) {
  threading::Event event;
  std::atomic<bool> timed_out{false};
  std::atomic<bool> enough{false};
  Scene scene(
      [&] {
        event.wait(0.005);
        timed_out = true;
        while (!enough) {
        }
      },
      [&] { enough = true; });
  until([&] { return timed_out.load(); });
  until([&] { return scene.thread.state() == Phase::running; });
}

TEST(ThreadState, PrintsItself) {
  std::ostringstream text;
  text << Phase::ready << ", " << Phase::blocked_in_wait_pool << ", " << ThreadState{};
  EXPECT_EQ(text.str(), "ready, blocked (wait pool), new");
  EXPECT_EQ(ThreadState(), ThreadState());
  EXPECT_TRUE(ThreadState() == Phase::new_thread);
}

}  // namespace tests
