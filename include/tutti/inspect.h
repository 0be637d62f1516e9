// What every thread is doing, and why it waits.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tutti/inspect/stats.h"
#include "tutti/sync/order_report.h"
#include "tutti/threading/named.h"
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

  // Known of a wait once it has lasted for some milliseconds:
  /// The name of what it waits for, at most 31 bytes; empty if that has none.
  std::string object_name;
  /// The ident of the thread that it waits for: who has the lock, or is to be joined. 0 if that is
  /// nobody in particular.
  std::uint64_t holder = 0;
  /// An address in each of the calls that led to the wait, the innermost first.
  std::vector<std::uintptr_t> stack;
};

/// A snapshot of all living threads of this process, read from the registry: it stops nobody, and
/// each thread is shown as it was when its entry was read. Any thread may call it.
std::vector<ThreadInfo> threads();

/// Who waits for whom: threads, and an edge for each that waits for another one.
class WaitGraph {
 public:
  struct Wait {
    /// Idents: `from` waits for `to`.
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    /// What `from` waits for, and `to` has.
    threading::BlockedOn through;
    /// Its name; empty if it has none.
    std::string object_name;
    /// Without a time-out, so it ends by what `to` does only.
    bool endless = true;
  };

  /// The edges follow from the threads' holders.
  explicit WaitGraph(std::vector<ThreadInfo> threads);

  const std::vector<ThreadInfo>& threads() const noexcept { return threads_; }
  const std::vector<Wait>& waits() const noexcept { return waits_; }
  /// The thread with this ident, or null.
  const ThreadInfo* find(std::uint64_t ident) const noexcept;
  /// Threads that wait for each other: in each list, every one for the next, and the last for the
  /// first. A ring without a time-out in it is a deadlock.
  const std::vector<std::vector<std::uint64_t>>& rings() const noexcept { return rings_; }
  bool is_in_ring(std::uint64_t ident) const noexcept;

 private:
  std::vector<ThreadInfo> threads_;
  /// Of each ident in threads_.
  std::unordered_map<std::uint64_t, std::size_t> places_;
  std::vector<Wait> waits_;
  std::vector<std::vector<std::uint64_t>> rings_;
};

/// A snapshot as threads() takes it. Waits that have just begun may be missing.
WaitGraph wait_graph();

/// Keeps the `tutti` command, run by the same user or by root, from showing this program, for good,
/// and the processes that it has been forked from or forks. TUTTI_INSPECT=off in the environment
/// does so from the start. What is shown inside of the program (threads(), SIGQUIT) stays.
void hide() noexcept;

/// The snapshot as a table, one line a thread. `kill -QUIT` has a running program print much the
/// same to standard error, and go on, unless it has a handler of its own for SIGQUIT or was started
/// with TUTTI_QUIT=off.
void dump(std::ostream& stream);
/// The same to standard error.
void dump();

/// Records from now on what each thread does and waits for, until stop_trace() or the end of the
/// program, which writes it to the file `path`: JSON that `tutti trace report`, Perfetto and
/// chrome://tracing show. `%p` in the path stands for the number of the process. The same as
/// starting the program with TUTTI_TRACE=path. Throws RuntimeError if the file can't be written, or
/// if a timeline is being recorded already. In the exploring flavour, whose time is none, it does
/// nothing.
void trace_to(const std::string& path);
/// Writes the file; false if nothing was being recorded. Throws RuntimeError if it could not be
/// written.
bool stop_trace();
/// Puts `text` into the timeline, for the calling thread at this moment; nothing if none is being
/// recorded.
void mark(std::string_view text);

using sync::OrderReport;

/// With TUTTI_LOCK_ORDER=1 in the environment: the deadlocks that could have happened so far,
/// though they did not, each as it was told on standard error. Places that suppress it: see
/// allow_order(), and TUTTI_LOCK_ORDER_SUPPRESS, a list of names of locks or functions separated by
/// commas, with * and ?.
std::vector<OrderReport> lock_order_reports();

/// Says that `second` may be taken while `first` is held although it is also done the other way
/// round, because something that tutti does not see keeps the two from happening at once. Each is a
/// Lock or an RLock.
void allow_order(const threading::Named& first, const threading::Named& second);

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
