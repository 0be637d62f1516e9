// interrupt_main: KeyboardInterrupt in the main thread's current or next blocking call.
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "support/journal.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/signal.h"
#include "tutti/thread.h"
#include "tutti/threading.h"

namespace tests {

namespace threading = tutti::threading;
using namespace std::chrono_literals;
using threading::Phase;
using threading::Thread;
using tutti::KeyboardInterrupt;
using tutti::thread::interrupt_main;

bool is_main_blocked() {
  const Phase phase = threading::main_thread().state().phase;
  return phase == Phase::blocked_in_lock_pool || phase == Phase::blocked_in_wait_pool ||
         phase == Phase::blocked_otherwise;
}

class Interrupt : public testing::Test {
 protected:
  /// Whether `call`, which blocks, is ended by an interruption that comes when it has blocked.
  testing::AssertionResult is_interrupted(const std::function<void()>& call) {
    std::thread interrupter([] {
      until([] { return is_main_blocked(); }, "the main thread to block");
      interrupt_main();
    });
    testing::AssertionResult result = throws<KeyboardInterrupt>(call);
    interrupter.join();
    return result;
  }

  /// Nothing may be left of it.
  void TearDown() override { EXPECT_NO_THROW(tutti::sleep(1ms)); }
};

TEST_F(Interrupt, EndsASleep) {
  EXPECT_TRUE(is_interrupted([] { tutti::sleep(1e6); }));
  EXPECT_TRUE(is_interrupted([] { tutti::sleep(tutti::forever); }));
}

TEST_F(Interrupt, EndsTheAcquireOfALockWhichStaysAsItWas) {
  threading::Lock lock;
  lock.acquire();
  EXPECT_TRUE(is_interrupted([&] { lock.acquire(); }));
  EXPECT_TRUE(is_interrupted([&] { lock.acquire(1h); }));
  EXPECT_TRUE(is_interrupted([&] { lock.try_lock_for(1h); }));
  EXPECT_TRUE(lock.locked());
  lock.release();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.acquire(false));
  lock.release();
}

TEST_F(Interrupt, EndsTheAcquireOfAnRLockWhichStaysItsOwners) {
  threading::RLock lock;
  threading::Event held;
  threading::Event go;
  Thread owner([&] {
    const std::scoped_lock once(lock);
    const std::scoped_lock twice(lock);
    held.set();
    go.wait();
  });
  owner.start();
  held.wait();
  EXPECT_TRUE(is_interrupted([&] { lock.acquire(); }));
  EXPECT_TRUE(is_interrupted([&] { lock.acquire(true, 1e6); }));
  EXPECT_THROW(lock.release(), tutti::RuntimeError) << "it must not have got it";
  go.set();
  owner.join();
  EXPECT_TRUE(lock.acquire(false));
  lock.release();
}

TEST_F(Interrupt, EndsAWaitForAConditionWithTheLockHeldAgain) {
  threading::Condition condition;
  const std::scoped_lock held(condition);
  condition.acquire();
  EXPECT_TRUE(is_interrupted([&] { condition.wait(); }));
  EXPECT_TRUE(is_interrupted([&] { condition.wait(1e6); }));
  EXPECT_TRUE(is_interrupted([&] { condition.wait_for([] { return false; }); }));
  condition.notify();  // Throws if the lock were not its own.
  condition.release();
  EXPECT_TRUE(condition.locked());
}

TEST_F(Interrupt, TakesNoNotificationAway) {
  threading::Condition condition;
  Journal<bool> woken;
  Thread other([&] {
    const std::scoped_lock held(condition);
    woken.add(condition.wait());
  });
  {
    const std::scoped_lock held(condition);
    EXPECT_TRUE(is_interrupted([&] { condition.wait(); }));
  }
  other.start();
  until([&] { return other.state() == Phase::blocked_in_wait_pool; });
  {
    const std::scoped_lock held(condition);
    condition.notify();
  }
  other.join();
  EXPECT_EQ(woken.count(true), 1u);
}

TEST_F(Interrupt, EndsTheAcquireOfASemaphoreWithoutTakingAPlace) {
  threading::Semaphore semaphore(0);
  EXPECT_TRUE(is_interrupted([&] { semaphore.acquire(); }));
  EXPECT_TRUE(is_interrupted([&] { semaphore.acquire(true, 1e6); }));
  EXPECT_EQ(semaphore.value(), 0);
  semaphore.release();
  EXPECT_EQ(semaphore.value(), 1);
  EXPECT_TRUE(semaphore.acquire(false));
}

TEST_F(Interrupt, EndsAWaitForAnEvent) {
  threading::Event event;
  EXPECT_TRUE(is_interrupted([&] { event.wait(); }));
  EXPECT_TRUE(is_interrupted([&] { event.wait(1e6); }));
  EXPECT_FALSE(event.is_set());
  event.set();
  EXPECT_TRUE(event.wait());
}

TEST_F(Interrupt, EndsAWaitAtABarrierWhichStaysWhole) {
  threading::Barrier barrier(2);
  EXPECT_TRUE(is_interrupted([&] { barrier.wait(); }));
  EXPECT_TRUE(is_interrupted([&] { barrier.wait(1e6); }));
  EXPECT_EQ(barrier.n_waiting(), 0);
  EXPECT_FALSE(barrier.broken());
  Thread other([&] { barrier.wait(); });
  other.start();
  barrier.wait();
  other.join();
}

TEST_F(Interrupt, EndsAJoinOfAThreadThatCanBeJoinedLater) {
  threading::Event go;
  Thread thread([&] { go.wait(); });
  thread.start();
  EXPECT_TRUE(is_interrupted([&] { thread.join(); }));
  EXPECT_TRUE(is_interrupted([&] { thread.join(1e6); }));
  EXPECT_TRUE(thread.is_alive());
  go.set();
  thread.join();
}

TEST_F(Interrupt, StaysPendingUntilTheNextBlockingCall) {
  threading::Lock lock;
  threading::Event set;
  set.set();
  interrupt_main();
  const auto nothing_that_blocks = [&] {
    lock.acquire();
    lock.release();
    set.wait();
  };
  EXPECT_NO_THROW(nothing_that_blocks());
  threading::Event event;
  EXPECT_TRUE(throws<KeyboardInterrupt>([&] { event.wait(); }));
  EXPECT_FALSE(event.wait(1ms)) << "it is thrown once";
}

TEST_F(Interrupt, ThatComesBeforeASleepEndsIt) {
  interrupt_main();
  EXPECT_TRUE(throws<KeyboardInterrupt>([] { tutti::sleep(1e6); }));
}

TEST_F(Interrupt, SeveralBeforeTheFirstWasSeenAreOne) {
  for (int i = 0; i < 3; ++i) interrupt_main();
  EXPECT_TRUE(throws<KeyboardInterrupt>([] { tutti::sleep(1ms); }));
  EXPECT_NO_THROW(tutti::sleep(1ms));
}

TEST_F(Interrupt, LeavesOtherThreadsAlone) {
  threading::Event event;
  Journal<bool> results;
  std::vector<Thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&] { results.add(event.wait()); });
    others.back().start();
    until([&] { return others.back().state() == Phase::blocked_in_wait_pool; });
  }
  interrupt_main();
  EXPECT_TRUE(throws<KeyboardInterrupt>([&] { event.wait(); }));
  EXPECT_EQ(results.size(), 0u);
  event.set();
  for (Thread& other : others) other.join();
  EXPECT_EQ(results.count(true), 3u);
}

TEST_F(Interrupt, MayComeFromOurThreadsAndFromStds) {
  Thread ours([] {
    until([] { return is_main_blocked(); });
    interrupt_main();
  });
  ours.start();
  EXPECT_TRUE(throws<KeyboardInterrupt>([] { tutti::sleep(1e6); }));
  ours.join();
}

TEST_F(Interrupt, ComesFromCtrlCIfAskedFor) {
  struct sigaction before;
  sigaction(SIGINT, nullptr, &before);
  tutti::handle_sigint();
  std::thread terminal([] {
    until([] { return is_main_blocked(); });
    kill(getpid(), SIGINT);
  });
  EXPECT_TRUE(throws<KeyboardInterrupt>([] { tutti::sleep(1e6); }));
  terminal.join();
  sigaction(SIGINT, &before, nullptr);
}

TEST_F(Interrupt, OtherSignalsEndNoWait) {
  struct sigaction before;
  struct sigaction ignoring = {};
  ignoring.sa_handler = [](int) {};
  sigaction(SIGUSR1, &ignoring, &before);
  const pthread_t main = pthread_self();
  std::thread nuisance([main] {
    until([] { return is_main_blocked(); });
    for (int i = 0; i < 20; ++i) {
      pthread_kill(main, SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
  });
  EXPECT_GE(time_of([] { tutti::sleep(50ms); }), 50ms);
  nuisance.join();
  sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace tests
