// A lock for many readers or one writer, made of a Condition; std::shared_lock and std::unique_lock
// take it. A waiting writer keeps new readers out, so that it can't starve.
//
//     4 readers at the same time
//     4000 writes, none lost
#include <tutti/threading.h>

#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <vector>

using namespace tutti;

class ReadWriteLock {
 public:
  void lock_shared() {
    std::scoped_lock held(changed_);
    changed_.wait_for([this] { return !writing_ && waiting_writers_ == 0; });
    ++readers_;
  }

  void unlock_shared() {
    std::scoped_lock held(changed_);
    if (--readers_ == 0) changed_.notify_all();
  }

  void lock() {
    std::scoped_lock held(changed_);
    ++waiting_writers_;
    changed_.wait_for([this] { return !writing_ && readers_ == 0; });
    --waiting_writers_;
    writing_ = true;
  }

  void unlock() {
    std::scoped_lock held(changed_);
    writing_ = false;
    changed_.notify_all();
  }

 private:
  threading::Condition changed_;
  int readers_ = 0;
  int waiting_writers_ = 0;
  bool writing_ = false;
};

ReadWriteLock lock;
int writes = 0;  // Guarded by the lock.
threading::Barrier all_inside(4, [] { std::puts("4 readers at the same time"); });

void read() {
  std::shared_lock held(lock);
  all_inside.wait();  // Would never end if one reader kept the others out.
}

void write() {
  for (int i = 0; i < 1000; ++i) {
    std::unique_lock held(lock);
    ++writes;
  }
}

void run_four(void (*target)()) {
  std::vector<threading::Thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(target).start();
  for (auto& thread : threads) thread.join();
}

int main() {
  run_four(read);
  run_four(write);
  std::printf("%d writes, none lost\n", writes);
}
