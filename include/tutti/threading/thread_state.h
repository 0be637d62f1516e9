// The states that a thread goes through, as Thread::state() and inspect::threads() tell them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "tutti/config.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::threading {

using runtime::WaitKind;

enum class Phase {
  /// Made, not started.
  new_thread,
  /// Started or woken, waiting for a core.
  ready,
  /// On a core, as far as tutti knows.
  running,
  /// Waiting for a Lock or RLock: in the lock pool.
  blocked_in_lock_pool,
  /// Waiting for a notification, an event, a place: in the wait pool of a Condition, an Event, a
  /// Semaphore or a Barrier.
  blocked_in_wait_pool,
  /// Waiting for something else: a sleep, a join, I/O or another system call.
  blocked_otherwise,
  /// Ended.
  dead,
};

/// "new", "ready", "running", "blocked (lock pool)", "blocked (wait pool)", "blocked (other)",
/// "dead".
const char* to_string(Phase phase) noexcept;

/// What a blocked thread waits for.
struct BlockedOn {
  WaitKind kind = WaitKind::none;
  /// Address of the lock, condition, …; null for a sleep or I/O.
  const void* object = nullptr;

  /// "Lock at 0x55…", "sleep", "join of Worker-1 …"; empty when not blocked.
  std::string to_string() const;
  bool operator==(const BlockedOn&) const = default;
};

/// A thread's state at one moment. Compares with a Phase: `t.state() == Phase::running`.
struct ThreadState {
  Phase phase = Phase::new_thread;
  BlockedOn blocked_on;

  /// The phase and, when blocked, on what: "blocked (other: sleep)".
  std::string to_string() const;
  bool operator==(const ThreadState&) const = default;
  bool operator==(Phase other) const noexcept { return phase == other; }
};

std::ostream& operator<<(std::ostream& stream, Phase phase);
std::ostream& operator<<(std::ostream& stream, const ThreadState& state);

}  // namespace tutti::inline TUTTI_ABI::threading
