// Programs that know nothing of tutti, only pthread and std: see tests/tools/run_test.cpp.
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "programs/program.h"

std::mutex accounts;
std::mutex journal;
pthread_mutex_t left_behind = PTHREAD_MUTEX_INITIALIZER;

namespace {

using namespace program;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int deadlock_was_told = 7;

/// Ends the program, of which other threads hang, once the report is there.
[[noreturn]] void end_when_told() {
  const char* path = std::getenv("TUTTI_REPORT");
  check(path != nullptr, "there is a file for the report");
  struct stat status {};
  while (stat(path, &status) != 0 || status.st_size == 0) std::this_thread::sleep_for(1ms);
  _exit(deadlock_was_told);
}

void name_thread(const std::string& name) {
  check(pthread_setname_np(pthread_self(), name.c_str()) == 0, "the thread has a name");
}

/// Lets `count` threads go on together.
class Start {
 public:
  explicit Start(int count) : missing_(count) {}
  void wait() {
    --missing_;
    while (missing_ > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> missing_;
};

// --- deadlocks -----------------------------------------------------------------------------------

Start both(2);

void transfer(std::mutex& from, std::mutex& to) {
  const std::lock_guard first(from);
  both.wait();
  const std::lock_guard second(to);
}

void start_two_mutexes() {
  std::thread([] {
    name_thread("teller");
    transfer(accounts, journal);
  }).detach();
  std::thread([] {
    name_thread("clerk");
    transfer(journal, accounts);
  }).detach();
}

int two_mutexes() {
  start_two_mutexes();
  end_when_told();
}

// Aborted by the library.
int two_mutexes_and_abort() {
  start_two_mutexes();
  for (;;) pause();
}

int ring_of_eight() {
  constexpr std::size_t count = 8;
  static std::array<std::mutex, count> forks;
  static Start all(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::thread([i] {
      name_thread("guest " + std::to_string(i));
      const std::lock_guard own(forks[i]);
      all.wait();
      const std::lock_guard next(forks[(i + 1) % count]);
    }).detach();
  }
  end_when_told();
}

int writers() {
  static std::array<std::shared_mutex, 2> pages;
  static Start all(2);
  std::thread([] {
    name_thread("reader");
    const std::lock_guard own(pages[0]);
    all.wait();
    const std::shared_lock other(pages[1]);
  }).detach();
  std::thread([] {
    name_thread("writer");
    const std::lock_guard own(pages[1]);
    all.wait();
    const std::lock_guard other(pages[0]);
  }).detach();
  end_when_told();
}

// The one that is joined waits for what the one that joins holds.
int join_and_mutex() {
  std::thread(end_when_told).detach();
  accounts.lock();
  std::thread worker([] {
    name_thread("worker");
    accounts.lock();
  });
  worker.join();
  return 0;
}

// Two that join each other are told so by the C library; three are not.
int joins() {
  static std::array<std::atomic<pthread_t>, 3> threads{};
  static Start all(3);
  std::vector<std::thread> joining;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    joining.emplace_back([i] {
      name_thread("joiner " + std::to_string(i));
      threads[i] = pthread_self();
      all.wait();
      pthread_join(threads[(i + 1) % threads.size()], nullptr);
    });
  }
  end_when_told();
}

int its_own_mutex() {
  std::thread([] {
    name_thread("twice");
    pthread_mutex_lock(&left_behind);
    pthread_mutex_lock(&left_behind);
  }).detach();
  end_when_told();
}

int owner_that_ended() {
  std::thread([] { pthread_mutex_lock(&left_behind); }).join();
  std::thread([] {
    name_thread("heir");
    pthread_mutex_lock(&left_behind);
  }).detach();
  end_when_told();
}

int owner_that_vanished_in_fork() {
  std::thread([] { pthread_mutex_lock(&left_behind); }).detach();
  while (pthread_mutex_trylock(&left_behind) == 0) pthread_mutex_unlock(&left_behind);
  const pid_t child = fork();
  if (child == 0) {
    std::thread(end_when_told).detach();
    pthread_mutex_lock(&left_behind);
  }
  return wait_for(child);
}

/// Lets the command whose path is in TUTTI show this process.
int show() {
  const char* tutti = std::getenv("TUTTI");
  check(tutti != nullptr, "the path of the command is known");
  start_two_mutexes();
  const char* path = std::getenv("TUTTI_REPORT");
  struct stat status {};
  while (stat(path, &status) != 0 || status.st_size == 0) std::this_thread::sleep_for(1ms);
  const std::string command = std::string(tutti) + " ps " + std::to_string(getpid());
  check(std::system(command.c_str()) == 0, "the command has shown it");
  _exit(0);
}

// --- programs that are right ---------------------------------------------------------------------

/// Every way to wait, by threads that come and go, in an order that has no deadlock.
class Storm {
 public:
  void run(std::chrono::nanoseconds duration) {
    end_ = Clock::now() + duration;
    std::vector<std::thread> breeders;
    for (unsigned seed = 0; seed < 4; ++seed) {
      breeders.emplace_back([this, seed] {
        std::minstd_rand random(seed + 1);
        while (Clock::now() < end_) breed(static_cast<unsigned>(random()));
      });
    }
    std::thread ping([this] { pass(0); });
    std::thread pong([this] { pass(1); });
    for (std::thread& breeder : breeders) breeder.join();
    ping.join();
    pong.join();
    while (detached_ != 0) std::this_thread::yield();
    check(sum_ == expected_, "no increment was lost");
  }

 private:
  // A thread that does some steps; joined by its maker, or detached.
  void breed(unsigned seed) {
    std::thread worker([this, seed] {
      std::minstd_rand random(seed);
      for (int i = 0; i < 20; ++i) step(random);
    });
    if (seed % 3 != 0) return worker.join();
    ++detached_;
    std::thread([this, worker = std::move(worker)]() mutable {
      worker.join();
      --detached_;
    }).detach();
  }

  void step(std::minstd_rand& random) {
    // Ascending, so that there is never a ring; held for long enough now and then for waits that
    // look around.
    const std::size_t first = random() % (ordered_.size() - 1);
    switch (random() % 6) {
      case 0: {
        const std::lock_guard outer(ordered_[first]);
        const std::lock_guard inner(ordered_.back());
        ++sum_;
        ++expected_;
        if (random() % 50 == 0) std::this_thread::sleep_for(25ms);
        break;
      }
      case 1: {
        // Against the order, but never for ever.
        const std::lock_guard last(timed_[1]);
        if (timed_[0].try_lock_for(1ms)) timed_[0].unlock();
        break;
      }
      case 2: {
        const std::lock_guard outer(timed_[0]);
        if (timed_[1].try_lock()) timed_[1].unlock();
        break;
      }
      case 3: {
        const std::shared_lock reading(shared_);
        if (random() % 50 == 0) std::this_thread::sleep_for(12ms);
        break;
      }
      case 4: {
        const std::lock_guard writing(shared_);
        const std::lock_guard again(recursive_);
        const std::lock_guard and_again(recursive_);
        break;
      }
      default: {
        sem_wait(&semaphore_.handle);
        sem_post(&semaphore_.handle);
      }
    }
  }

  void pass(int own) {
    std::unique_lock held(turn_guard_);
    while (Clock::now() < end_) {
      if (turn_ == own) {
        turn_ = 1 - own;
        turn_changed_.notify_all();
      } else if (own == 0) {
        turn_changed_.wait_for(held, 5ms);
      } else {
        turn_changed_.wait_until(held, end_);
      }
    }
  }

  struct Semaphore {
    Semaphore() { sem_init(&handle, 0, 2); }
    ~Semaphore() { sem_destroy(&handle); }
    sem_t handle{};
  };

  Clock::time_point end_;
  std::array<std::mutex, 4> ordered_;
  std::array<std::timed_mutex, 2> timed_;
  std::shared_mutex shared_;
  std::recursive_mutex recursive_;
  Semaphore semaphore_;
  std::mutex turn_guard_;
  std::condition_variable turn_changed_;
  int turn_ = 0;
  long sum_ = 0;  // Guarded by the last of ordered_.
  std::atomic<long> expected_{0};
  std::atomic<int> detached_{0};
};

int storm() {
  Storm().run(5s);
  say("calm");
  return 0;
}

/// A mutex of the given type, and whether it survives its owner.
struct Mutex {
  explicit Mutex(int type, int robust = PTHREAD_MUTEX_STALLED) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setrobust(&attributes, robust);
    pthread_mutex_init(&handle, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  ~Mutex() { pthread_mutex_destroy(&handle); }
  pthread_mutex_t handle{};
};

timespec soon(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  time.tv_nsec += 20'000'000;
  if (time.tv_nsec >= 1'000'000'000) time = {time.tv_sec + 1, time.tv_nsec - 1'000'000'000};
  return time;
}

int results() {
  Mutex recursive(PTHREAD_MUTEX_RECURSIVE);
  check(pthread_mutex_lock(&recursive.handle) == 0, "recursive, once");
  check(pthread_mutex_lock(&recursive.handle) == 0, "recursive, twice");
  check(pthread_mutex_unlock(&recursive.handle) == 0, "recursive, back");
  check(pthread_mutex_unlock(&recursive.handle) == 0, "recursive, free");
  check(pthread_mutex_unlock(&recursive.handle) == EPERM, "recursive, not held");

  Mutex checking(PTHREAD_MUTEX_ERRORCHECK);
  check(pthread_mutex_lock(&checking.handle) == 0, "checking, once");
  check(pthread_mutex_lock(&checking.handle) == EDEADLK, "checking, twice");
  std::thread([&] {
    check(pthread_mutex_trylock(&checking.handle) == EBUSY, "tried while held");
    timespec until = soon(CLOCK_REALTIME);
    check(pthread_mutex_timedlock(&checking.handle, &until) == ETIMEDOUT, "timed");
    until = soon(CLOCK_MONOTONIC);
    check(pthread_mutex_clocklock(&checking.handle, CLOCK_MONOTONIC, &until) == ETIMEDOUT,
          "by the monotonic clock");
    check(pthread_mutex_unlock(&checking.handle) == EPERM, "another's");
  }).join();

  Mutex robust(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
  std::thread([&] { pthread_mutex_lock(&robust.handle); }).join();
  check(pthread_mutex_lock(&robust.handle) == EOWNERDEAD, "its owner has ended");
  check(pthread_mutex_consistent(&robust.handle) == 0, "repaired");
  check(pthread_mutex_unlock(&robust.handle) == 0, "repaired, free");

  pthread_rwlock_t pages = PTHREAD_RWLOCK_INITIALIZER;
  check(pthread_rwlock_wrlock(&pages) == 0, "written");
  check(pthread_rwlock_rdlock(&pages) == EDEADLK, "read by the writer");
  std::thread([&] {
    const timespec until = soon(CLOCK_REALTIME);
    check(pthread_rwlock_timedrdlock(&pages, &until) == ETIMEDOUT, "read, timed");
  }).join();
  check(pthread_rwlock_unlock(&pages) == 0, "written, free");

  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  errno = 0;
  check(sem_wait(&semaphore) == 0 && errno == 0, "a free semaphore leaves errno alone");
  timespec until = soon(CLOCK_REALTIME);
  check(sem_timedwait(&semaphore, &until) == -1 && errno == ETIMEDOUT, "a taken one says so");

  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock held(mutex);
  check(changed.wait_for(held, 20ms) == std::cv_status::timeout, "nobody has notified");
  check(!mutex.try_lock(), "the mutex is held again");

  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  std::atomic<int> serial{0};
  std::thread other([&] { serial += pthread_barrier_wait(&barrier); });
  serial += pthread_barrier_wait(&barrier);
  other.join();
  check(serial == PTHREAD_BARRIER_SERIAL_THREAD, "one of the two is the last");

  pthread_t thread{};
  int token = 0;
  pthread_create(
      &thread, nullptr, [](void* argument) { return argument; }, &token);
  until = soon(CLOCK_REALTIME);
  void* result = nullptr;
  while (pthread_timedjoin_np(thread, &result, &until) == ETIMEDOUT) until = soon(CLOCK_REALTIME);
  check(result == &token, "joined, with its result");
  check(pthread_join(pthread_self(), nullptr) == EDEADLK, "joins itself");
  say("as without");
  return 41;
}

/// Cancels a thread that waits in `wait`, and returns what it has left.
void* cancelled(void* (*wait)(void*)) {
  pthread_t thread{};
  check(pthread_create(&thread, nullptr, wait, nullptr) == 0, "there is a thread");
  // Long enough for waits that look around, though it is right without.
  std::this_thread::sleep_for(30ms);
  check(pthread_cancel(thread) == 0, "cancelled");
  void* result = nullptr;
  check(pthread_join(thread, &result) == 0, "joined");
  return result;
}

int cleanups = 0;

void unlock_accounts(void* /*argument*/) {
  ++cleanups;
  accounts.unlock();
}

int cancellation() {
  static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  void* result = cancelled([](void*) -> void* {
    accounts.lock();
    pthread_cleanup_push(unlock_accounts, nullptr);
    for (;;) pthread_cond_wait(&changed, accounts.native_handle());
    pthread_cleanup_pop(0);
  });
  check(result == PTHREAD_CANCELED && cleanups == 1, "waiting for a condition");
  check(accounts.try_lock(), "the mutex is free again");
  accounts.unlock();

  // A lock is not a point of cancellation: the thread gets it, and ends at the next.
  pthread_t thread{};
  std::atomic<bool> is_held{false};
  std::thread holder([&] {
    const std::lock_guard held(accounts);
    is_held = true;
    std::this_thread::sleep_for(50ms);
  });
  while (!is_held) std::this_thread::yield();
  result = nullptr;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        accounts.lock();
        pthread_cleanup_push(unlock_accounts, nullptr);
        pthread_testcancel();
        pthread_cleanup_pop(0);
        return nullptr;
      },
      nullptr);
  check(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0, "joined");
  holder.join();
  check(result == PTHREAD_CANCELED && cleanups == 2, "waiting for a mutex");

  static sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  result = cancelled([](void*) -> void* {
    for (;;) sem_wait(&semaphore);
  });
  check(result == PTHREAD_CANCELED, "waiting for a semaphore");

  static std::atomic<bool> may_end{false};
  static pthread_t joined;
  pthread_create(
      &joined, nullptr,
      [](void*) -> void* {
        while (!may_end) std::this_thread::sleep_for(1ms);
        return nullptr;
      },
      nullptr);
  result = cancelled([](void*) -> void* {
    pthread_join(joined, nullptr);
    return nullptr;
  });
  check(result == PTHREAD_CANCELED, "waiting for a thread");
  may_end = true;
  check(pthread_join(joined, nullptr) == 0, "it can still be joined");
  say("cancelled");
  return 0;
}

int forks() {
  std::atomic<bool> is_over{false};
  std::thread busy([&] {
    while (!is_over) {
      const std::lock_guard held(journal);
      std::thread([] {}).join();
    }
  });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      std::mutex own;
      own.lock();
      std::thread waiting([&] { const std::lock_guard held(own); });
      std::this_thread::sleep_for(15ms);
      own.unlock();
      waiting.join();
      _exit(i);
    }
    check(wait_for(child) == i, "the child has ended as it should");
  }
  is_over = true;
  busy.join();
  say("forked");
  return 3;
}

// A thread ends, and what it has kept for itself waits for a mutex meanwhile.
int late_locks() {
  static pthread_key_t key;
  pthread_key_create(&key, [](void*) { const std::lock_guard held(accounts); });
  for (int i = 0; i < 20; ++i) {
    accounts.lock();
    std::thread late([] {
      static thread_local struct Late {
        ~Late() { const std::lock_guard held(accounts); }
        int touched = 0;
      } last;
      last.touched = 1;
      pthread_setspecific(key, &key);
    });
    std::this_thread::sleep_for(12ms);
    accounts.unlock();
    late.join();
  }
  say("late");
  return 0;
}

int killed() {
  raise(SIGTERM);
  return 0;
}

}  // namespace

int main() {
  return run({
      {"two_mutexes", two_mutexes},
      {"two_mutexes_and_abort", two_mutexes_and_abort},
      {"ring_of_eight", ring_of_eight},
      {"writers", writers},
      {"join_and_mutex", join_and_mutex},
      {"joins", joins},
      {"its_own_mutex", its_own_mutex},
      {"owner_that_ended", owner_that_ended},
      {"owner_that_vanished_in_fork", owner_that_vanished_in_fork},
      {"show", show},
      {"storm", storm},
      {"results", results},
      {"cancellation", cancellation},
      {"forks", forks},
      {"late_locks", late_locks},
      {"killed", killed},
  });
}
