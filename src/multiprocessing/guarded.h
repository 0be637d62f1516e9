// The lock inside of objects whose state is right after each store, so that an heir just goes on.
#pragma once

#include "multiprocessing/shared_lock_cell.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Holds the cell for as long as this lives. What waits for it shows as a wait for `shown`.
class Guarded {
 public:
  Guarded(SharedLockCell& cell, Shown shown) : cell_(cell) {
    cell.acquire(platform::never, shown, runtime::Interrupts::deferred);
  }
  ~Guarded() { cell_.release(); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

 private:
  SharedLockCell& cell_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
