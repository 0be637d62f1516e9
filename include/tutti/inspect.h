// What every thread is doing, and why it waits.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "tutti/threading/thread_state.h"

namespace tutti::inline TUTTI_ABI::inspect {

struct ThreadInfo {
  std::uint64_t ident = 0;
  /// The kernel's thread id; 0 until it runs for the first time.
  std::uint32_t native_id = 0;
  /// At most 31 bytes of the name.
  std::string name;
  bool daemon = false;
  bool main = false;
  /// Not started by tutti.
  bool foreign = false;
  threading::ThreadState state;
  /// Seconds since it blocked; 0 when it is not blocked.
  double blocked_for = 0;
  /// Seconds until the wait ends by itself; infinity without a limit or when not blocked.
  double time_left = 0;
};

/// A snapshot of all living threads of this process, read from the registry: it stops nobody, and
/// each thread is shown as it was when its entry was read. Any thread may call it.
std::vector<ThreadInfo> threads();

/// The snapshot as a table, one line a thread.
void dump(std::ostream& stream);
/// The same to standard error.
void dump();

/// Marks the calling thread as blocked in I/O or in a foreign library for as long as this object
/// lives: the state that others see, and one thread less when waiting threads ask whether a core is
/// free to spin on.
class Blocking {
 public:
  Blocking();
  ~Blocking();
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;
};

}  // namespace tutti::inline TUTTI_ABI::inspect
