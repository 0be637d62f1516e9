// What a fork leaves of threads and locks: see tests/threading/fork_test.cpp.
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "programs/program.h"
#include "tutti/tutti.h"

// What a thread has, nobody can free once it has vanished in a fork: no leak of ours.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}

namespace {

using namespace program;
namespace threading = tutti::threading;
using threading::Phase;
using threading::Thread;

/// Runs `work` in a forked child, which then ends as by return from main; checks that it came so
/// far.
void in_child(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    std::exit(42);
  }
  check(wait_for(child) == 42, "the child came to its end");
}

void await_phase(const Thread& thread, Phase phase) {
  while (thread.state().phase != phase) tutti::sleep(0.001);
}

/// A thread that runs `work` and then stays as long as this object.
class Guest {
 public:
  explicit Guest(
      std::function<void()> work, std::function<void()> at_end = [] {})
      : thread({.target =
                    [this, work = std::move(work), at_end = std::move(at_end)] {
                      work();
                      ready_.set();
                      may_go_.wait();
                      at_end();
                    },
                .name = "guest"}) {
    thread.start();
    ready_.wait();
  }
  ~Guest() {
    may_go_.set();
    thread.join();
  }

 private:
  threading::Event ready_;
  threading::Event may_go_;

 public:
  Thread thread;
};

template <typename Error>
void expect_error(const std::function<void()>& call, const std::string& part) {
  try {
    call();
  } catch (const Error& error) {
    check(std::string(error.what()).find(part) != std::string::npos, error.what());
    return;
  }
  check(false, "the call throws");
}

std::string address_of(const void* object) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", object);
  return text;
}

template <typename Lock>
int lock_of_a_vanished_thread() {
  Lock lock;
  Guest holder([&] { lock.acquire(); }, [&] { lock.release(); });
  in_child([&] {
    using tutti::OwnerDiedError;
    check(lock.locked(), "it is held");
    check(!lock.acquire(false), "it can't be taken");
    constexpr bool is_condition = std::is_same_v<Lock, threading::Condition>;
    expect_error<OwnerDiedError>([&] { lock.acquire(); }, is_condition ? "" : address_of(&lock));
    expect_error<OwnerDiedError>([&] { lock.acquire(true, 5.0); }, "MainThread");
    expect_error<OwnerDiedError>([&] { lock.lock(); }, "");
    bool thrown_in_thread = false;
    Thread other([&] {
      expect_error<OwnerDiedError>([&] { lock.acquire(); }, "Thread-");
      thrown_in_thread = true;
    });
    other.start();
    other.join();
    check(thrown_in_thread, "it is thrown in other threads as well");
  });
  check(!lock.acquire(false), "the parent's lock is held as before");
  return 0;
}

template <typename Lock>
int lock_of_the_forking_thread() {
  Lock lock;
  constexpr bool is_recursive = std::is_same_v<Lock, threading::RLock>;
  lock.acquire();
  if (is_recursive) lock.acquire();
  in_child([&] {
    check(lock.locked(), "it is held");
    Thread other([&] { check(!lock.acquire(false), "others can't take it"); });
    other.start();
    other.join();
    if (is_recursive) {
      check(lock.acquire(false), "its owner can take it again");
      lock.release();
      lock.release();
    }
    lock.release();
    check(!lock.locked(), "it is free");
    Thread next([&] {
      lock.acquire();
      lock.release();
    });
    next.start();
    next.join();
    const std::scoped_lock held(lock);
  });
  check(lock.locked(), "the parent's lock is held as before");
  lock.release();
  if (is_recursive) lock.release();
  check(!lock.locked(), "the parent could release it");
  return 0;
}

int lock_with_waiters() {
  threading::Lock lock;
  threading::RLock rlock;
  lock.acquire();
  rlock.acquire();
  std::vector<Thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&, i] {
      if (i % 2 == 0) {
        const std::scoped_lock held(lock);
      } else {
        const std::scoped_lock held(rlock);
      }
    });
    waiters.back().start();
    await_phase(waiters.back(), Phase::blocked_in_lock_pool);
  }
  in_child([&] {
    lock.release();
    rlock.release();
    check(!lock.locked() && !rlock.locked(), "nobody is there to get it");
    for (int i = 0; i < 3; ++i) const std::scoped_lock held(lock, rlock);
  });
  lock.release();
  rlock.release();
  for (Thread& waiter : waiters) waiter.join();
  return 0;
}

int condition_of_the_forking_thread() {
  threading::Condition condition;
  Thread waiter([&] {
    const std::scoped_lock held(condition);
    condition.wait();
  });
  waiter.start();
  await_phase(waiter, Phase::blocked_in_wait_pool);
  condition.acquire();
  in_child([&] {
    condition.notify_all();  // For nobody.
    check(!condition.wait(0.005), "nobody notifies");
    Thread notifier([&] {
      const std::scoped_lock held(condition);
      condition.notify();
    });
    notifier.start();
    check(condition.wait(), "a thread of the child notifies");
    notifier.join();
    condition.release();
  });
  condition.notify();
  condition.release();
  waiter.join();
  return 0;
}

int waiters_are_gone() {
  threading::Event event;
  threading::Semaphore semaphore(0);
  threading::Barrier barrier(3);
  std::vector<Thread> waiters;
  for (const std::function<void()>& wait : std::vector<std::function<void()>>{
           [&] { event.wait(); }, [&] { semaphore.acquire(); }, [&] { barrier.wait(); }}) {
    waiters.emplace_back(wait);
    waiters.back().start();
    await_phase(waiters.back(), Phase::blocked_in_wait_pool);
  }
  in_child([&] {
    check(!event.wait(0.002), "it is clear");
    event.set();
    check(event.wait(), "it is set");
    check(!semaphore.acquire(true, 0.002), "it has no place");
    semaphore.release();
    check(semaphore.acquire(false), "the place is for who is there");
    barrier.reset();
    std::vector<Thread> parties;
    for (int i = 0; i < 3; ++i) {
      parties.emplace_back([&] { barrier.wait(); });
      parties.back().start();
    }
    for (Thread& party : parties) party.join();
  });
  event.set();
  semaphore.release();
  for (int i = 0; i < 2; ++i) Thread([&] { barrier.wait(); }).start();
  for (Thread& waiter : waiters) waiter.join();
  return 0;
}

int child_has_one_thread() {
  Guest guest([] {});
  Guest other([] {});
  const Thread main = threading::main_thread();
  in_child([&] {
    check(threading::active_count() == 1, "one is active");
    check(threading::enumerate().front() == threading::current_thread(), "the forking one");
    check(threading::main_thread() == threading::current_thread(), "it is the main one");
    check(threading::current_thread() == main, "the same as before");
    check(threading::current_thread().name() == "MainThread", "by its old name");
    check(threading::current_thread().ident() == threading::get_ident(), "it knows its ident");
    check(threading::current_thread().native_id() == static_cast<std::uint32_t>(getpid()),
          "and its number in the kernel");
    check(tutti::inspect::threads().size() == 1, "inspect shows one");
    check(tutti::inspect::threads()[0].main, "which is main");
    check(!guest.thread.is_alive(), "others are not alive");
    check(guest.thread.state() == Phase::dead, "but dead");
    guest.thread.join();
  });
  check(threading::active_count() == 3, "all are there in the parent");
  check(guest.thread.is_alive(), "and alive");
  return 0;
}

int fork_in_a_thread() {
  for (const bool daemon : {false, true}) {
    Thread forking({.target =
                        [] {
                          in_child([] {
                            const Thread self = threading::current_thread();
                            check(threading::main_thread() == self, "it is the main one");
                            check(self.name() == "forking", "by its old name");
                            check(!self.daemon(), "and no daemon");
                            check(threading::active_count() == 1, "and alone");
                            Thread thread([] {});
                            thread.start();
                            thread.join();
                            tutti::sleep(0.001);
                          });
                        },
                    .name = "forking",
                    .daemon = daemon});
    forking.start();
    forking.join();
  }
  return 0;
}

int child_of_a_child() {
  threading::Lock lock;
  threading::RLock rlock;
  lock.acquire();
  rlock.acquire();
  in_child([&] {
    in_child([&] {
      rlock.acquire();
      rlock.release();
      rlock.release();
      lock.release();
      check(!lock.locked() && !rlock.locked(), "a grandchild can release them");
      check(threading::active_count() == 1, "it is alone");
      Thread thread([&] { const std::scoped_lock held(lock, rlock); });
      thread.start();
      thread.join();
    });
    check(lock.locked() && rlock.locked(), "they are held in the child");
    lock.release();
    rlock.release();
  });
  return 0;
}

int child_waits_for_its_threads() {
  Guest guest([] {});
  const pid_t child = fork();
  if (child == 0) {
    Thread thread([] {
      threading::main_thread().join();
      tutti::sleep(0.03);
      say("thread of the child ends");
    });
    thread.start();
    return 42;
  }
  check(wait_for(child) == 42, "the child came to its end");
  say("parent ends");
  return 0;
}

int forks_while_threads_work() {
  threading::Lock lock;
  threading::Condition condition;
  threading::Semaphore semaphore(2);
  std::atomic<bool> enough{false};
  std::vector<Thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (!enough) {
        { const std::scoped_lock held(lock, semaphore); }
        const std::scoped_lock held(condition);
        condition.notify_all();
        condition.wait(0.0001);
        Thread([] {}).start();
      }
    });
    workers.back().start();
  }
  for (int i = 0; i < 40; ++i) {
    in_child([] {
      threading::Lock own;
      threading::Event event;
      int counter = 0;
      std::vector<Thread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
          event.wait();
          for (int n = 0; n < 100; ++n) {
            const std::scoped_lock held(own);
            ++counter;
          }
        });
        threads.back().start();
      }
      event.set();
      for (Thread& thread : threads) thread.join();
      check(counter == 300, "the child's threads exclude each other");
    });
  }
  enough = true;
  for (Thread& worker : workers) worker.join();
  return 0;
}

}  // namespace

int queue_with_waiters() {
  using tutti::queue::Queue;
  Queue<int> empty;
  Queue<int> full(1);
  full.put(1);
  Queue<int> unfinished;
  unfinished.put(1);
  Thread getter([&] { empty.get(); });
  Thread putter([&] { full.put(2); });
  Thread joiner([&] { unfinished.join(); });
  for (Thread* thread : {&getter, &putter, &joiner}) {
    thread->start();
    await_phase(*thread, Phase::blocked_in_wait_pool);
  }
  in_child([&] {
    empty.put(7);
    check(empty.qsize() == 1, "nobody waits for it here");
    check(empty.get_nowait() == 7, "it can be got");
    check(full.get_nowait() == 1, "the parent's item is here too");
    check(full.empty(), "the item of the thread that is missing did not come in");
    full.put_nowait(3);
    check(full.get() == 3, "it goes on as usual");
    unfinished.task_done();
    unfinished.join();
  });
  empty.put(1);
  full.get();
  unfinished.task_done();
  for (Thread* thread : {&getter, &putter, &joiner}) thread->join();
  return 0;
}

int queue_in_use() {
  using tutti::queue::Queue;
  Queue<int> q(2);
  Thread putter([&] {
    for (int item = 1; item != 0; ++item) {
      try {
        q.put(item);
      } catch (const tutti::queue::ShutDown&) {
        return;
      }
    }
  });
  Thread getter([&] {
    for ([[maybe_unused]] int item : q.items()) q.task_done();
  });
  putter.start();
  getter.start();
  for (int i = 0; i < 50; ++i) {
    in_child([&] {
      while (q.try_get()) q.task_done();
      q.put(1);
      check(q.get() == 1, "it is as usual");
    });
  }
  q.shutdown();
  putter.join();
  getter.join();
  return 0;
}

int main() {
  return run({
      {"lock_of_a_vanished_thread", lock_of_a_vanished_thread<threading::Lock>},
      {"rlock_of_a_vanished_thread", lock_of_a_vanished_thread<threading::RLock>},
      {"condition_of_a_vanished_thread", lock_of_a_vanished_thread<threading::Condition>},
      {"lock_of_the_forking_thread", lock_of_the_forking_thread<threading::Lock>},
      {"rlock_of_the_forking_thread", lock_of_the_forking_thread<threading::RLock>},
      {"lock_with_waiters", lock_with_waiters},
      {"condition_of_the_forking_thread", condition_of_the_forking_thread},
      {"waiters_are_gone", waiters_are_gone},
      {"child_has_one_thread", child_has_one_thread},
      {"fork_in_a_thread", fork_in_a_thread},
      {"child_of_a_child", child_of_a_child},
      {"child_waits_for_its_threads", child_waits_for_its_threads},
      {"forks_while_threads_work", forks_while_threads_work},
      {"queue_with_waiters", queue_with_waiters},
      {"queue_in_use", queue_in_use},
  });
}
