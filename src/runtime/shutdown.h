// The order in which a program ends.
//
//   1. main returns, or exit() is called
//   2. non-daemon threads are joined (the threading layer does that, from `before_ending`)
//   3. daemonic child processes are ended, the others joined (by the multiprocessing layer)
//   4. is_ending() holds: no thread starts any more; a daemon thread is parked for good at its next
//      call that acquires or waits, so that it can't touch what goes next
//   5. static objects are destroyed; they may still use locks
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// Sets what is called at step 2.
void before_ending(void (*join_threads)()) noexcept;

/// Sets what is called at step 3.
void before_ending_after_threads(void (*end_processes)()) noexcept;

/// True from step 4 on.
bool is_ending() noexcept;

/// Step 1: called by the floor's hook, once or more.
void begin_ending() noexcept;

/// Has step 1 come before the destruction of all static objects made so far, also when exit() is
/// called in another thread than the main one. Called when the first thread is started.
void end_before_statics_made_so_far() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
