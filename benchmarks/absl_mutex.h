// absl::Mutex with the names of std's Lockable.
#pragma once

#include <absl/synchronization/mutex.h>

class AbslMutex {
 public:
  void lock() { mutex_.Lock(); }
  bool try_lock() { return mutex_.TryLock(); }
  void unlock() { mutex_.Unlock(); }

 private:
  absl::Mutex mutex_;
};
