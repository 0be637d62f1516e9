// What the environment says about diagnosis, read once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// Reads them all; called while the program has one thread.
void read_settings() noexcept;

/// What happens when a deadlock is found.
enum class DeadlockPolicy {
  /// One of its threads throws DeadlockError.
  throw_error,
  /// It is told on stderr, and the threads go on waiting.
  report,
  /// It is told on stderr, and the program is aborted.
  abort_program,
  /// Nobody looks for any.
  off,
};
/// TUTTI_DEADLOCK=throw|report|abort|off; throw_error by default.
DeadlockPolicy deadlock_policy() noexcept;

/// TUTTI_STACKS=1: messages tell whole stacks.
bool tells_stacks() noexcept;

/// TUTTI_LOCK_ORDER=1: the order in which threads take locks is written down (sync/lock_order.h).
bool keeps_lock_order() noexcept;

/// TUTTI_LOCK_ORDER_SUPPRESS=glob,…: names of locks or functions about which it says nothing.
std::string_view suppressed_lock_order() noexcept;

/// With either of these, every acquisition and release of a lock is written down (sync/held.h).
/// Then every thread takes the slow path, as daemons do always: the inline paths know nothing of
/// this, and cost nothing by it.
bool are_locks_watched() noexcept;

/// False with TUTTI_INSPECT=off: other programs don't find the registry.
bool is_shown_to_others() noexcept;
/// False with TUTTI_QUIT=off: SIGQUIT ends the program, as it would without tutti.
bool reports_on_quit() noexcept;

/// TUTTI_TRACE=FILE: where the program's timeline goes; empty if it has none.
std::string_view trace_path() noexcept;
/// TUTTI_TRACE_EVENTS=n: how many events of each thread a timeline has room for; 65536 by default.
std::size_t trace_capacity() noexcept;

/// TUTTI_SLOW_WAIT=milliseconds: from what time on a wait for a lock is told on stderr, in
/// nanoseconds; platform::never by default.
std::int64_t slow_wait() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
