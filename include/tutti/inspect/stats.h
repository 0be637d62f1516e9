// Which locks and queues threads wait for, how long, and who.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::inspect {

/// Waits in one queue of threads. What was had without queueing, at once or after a spin, is not
/// counted: that costs nothing, and is no reason to worry.
struct Waits {
  /// How many have ended, in vain or not.
  std::uint64_t count = 0;
  /// How many threads wait now.
  std::size_t now = 0;
  /// The longest so far, in seconds, also of those that wait now; and the name of its thread.
  double longest = 0;
  std::string longest_by;
};

struct LockStats {
  /// "Lock 'accounts'".
  std::string lock;
  const void* address = nullptr;
  /// Those of acquire(). When a condition takes its lock again, that is part of the wait for the
  /// condition.
  Waits waits;
  /// How many of them ended by a hand-over: the thread had waited for so long that the lock was not
  /// left to whoever came next.
  std::uint64_t hand_offs = 0;
  /// The name of the thread that has the lock now; empty if nobody has it, or nobody in particular.
  std::string owner;
};

struct QueueStats {
  std::string queue;
  const void* address = nullptr;
  /// The number of its items now.
  std::size_t size = 0;
  /// For room, and for items.
  Waits puts;
  Waits gets;
};

/// All locks, and all queues, that threads have queued for or wait for now, those of the longest
/// waits first. Of many hundreds at once, those with shorter waits may be missing. Any thread may
/// call it. In the exploring flavour, whose time is none, there are none.
std::vector<LockStats> lock_stats();
std::vector<QueueStats> queue_stats();
/// Begins anew.
void reset_stats() noexcept;

/// Both as tables.
void print_stats(std::ostream& stream);

}  // namespace tutti::inline TUTTI_ABI::inspect
