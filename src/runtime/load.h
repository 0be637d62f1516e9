// How many of the program's threads could use a core at this moment.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// Adds to the number of registered threads that are not waiting in tutti.
void count_runnable(int change) noexcept;
/// That number. 0 only if all of them wait.
int runnable_threads() noexcept;
/// In a fork's child: so many are left.
void reset_load_after_fork(int threads) noexcept;

/// True if there is a core for each thread that could use one, so that a waiting thread that spins
/// takes nothing from the others. Cheap, and now and then a little out of date.
bool is_core_free() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
