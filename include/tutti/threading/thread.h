// threading::Thread and what asks about threads: current_thread, enumerate, …
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/threading/target.h"
#include "tutti/threading/thread_state.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

class ThreadControl;

/// Python's keyword arguments of Thread: Thread t({.target = f, .name = "feeder", .daemon = true}).
struct ThreadOptions {
  /// Reserved, as in Python: anything but null is a ValueError.
  const void* group = nullptr;
  Target target = {};
  /// Empty: "Thread-1", "Thread-2", …
  std::string name = {};
  /// Left out: as the thread that makes this one.
  std::optional<bool> daemon = std::nullopt;
};

/// A thread of control. Made first, then started, as in Python; joined if someone wants to know
/// when it has ended. Nothing bad happens to one that is not joined: the program ends when all
/// threads but the daemon ones have.
///
///     threading::Thread t(count_words, folder);   // arguments by value, as with std::thread
///     t.start();
///     t.join();
///
/// Or derive from it and override run(). A Thread is a handle, as a name is in Python: copies are
/// the same thread, compare equal, and the thread lives on when all handles are gone. A derived
/// object, whose run() uses its members, must outlive the run: one held by a std::shared_ptr is
/// kept alive by the running thread; any other waits in ~Thread for run() to end, unless it is
/// daemonic. Since ~Thread comes after the members of the derived class are gone, a run() that uses
/// them needs a derived destructor that calls join().
///
/// An exception that leaves the target goes to `excepthook`, and the program goes on.
///
/// Thread-safe, except that one handle must not be assigned to in one thread and used in another.
/// Python counterpart: threading.Thread.
class Thread : public std::enable_shared_from_this<Thread> {
 public:
  /// A thread without target, for derived classes; named "Thread-N". `name` and `daemon` as in
  /// ThreadOptions.
  Thread();
  /// Throws ValueError when `options.group` is not null.
  explicit Thread(ThreadOptions options);
  /// A thread that will call `function(args...)`, with copies of the arguments.
  template <typename F, typename... Args>
  requires(!std::derived_from<std::decay_t<F>, Thread>) &&
      (!std::same_as<std::decay_t<F>, ThreadOptions>)&&std::invocable<
          std::decay_t<F>, std::decay_t<Args>...> explicit Thread(F&& function, Args&&... args)
      : Thread(ThreadOptions{.target =
                                 Target(std::forward<F>(function), std::forward<Args>(args)...)}) {}
  Thread(const Thread& other) noexcept;
  Thread& operator=(const Thread& other) noexcept;
  virtual ~Thread();

  /// Starts the thread. Throws RuntimeError when it was started before, when the system has no room
  /// for another thread (then it can be tried again), or when the program is ending.
  void start();

  /// What the thread does: calls the target. Override it in a derived class.
  virtual void run();

  /// Waits until the thread has ended in full, its thread_local destructors included, or until
  /// `timeout` passed: ask is_alive() which it was. A negative timeout polls. Throws RuntimeError
  /// before the start, DeadlockError (a RuntimeError) in the thread itself, KeyboardInterrupt in an
  /// interrupted main thread.
  void join(Timeout timeout = forever);

  /// True from start() until the target has returned.
  bool is_alive() const noexcept;

  std::string name() const;
  void set_name(std::string name);
  /// A number that no other living thread has; none before the start.
  std::optional<std::uint64_t> ident() const noexcept;
  /// The kernel's thread id; none before the start.
  std::optional<std::uint32_t> native_id() const;
  /// True if the program does not wait for this thread at its end.
  bool daemon() const noexcept;
  /// Throws RuntimeError after the start.
  void set_daemon(bool daemon);

  /// What the thread is doing at this moment. Costs the thread itself nothing.
  ThreadState state() const;
  /// What it waits for; kind none when it is not blocked.
  BlockedOn blocked_on() const { return state().blocked_on; }

  /// `<Thread(Thread-1, started 65538)>`, as Python's repr.
  std::string to_string() const;

  /// True for handles of the same thread.
  bool operator==(const Thread& other) const noexcept { return control_ == other.control_; }

  // Spellings of Python 2.
  bool isAlive() const noexcept { return is_alive(); }
  std::string getName() const { return name(); }
  void setName(std::string name) { set_name(std::move(name)); }
  bool isDaemon() const noexcept { return daemon(); }
  void setDaemon(bool daemon) { set_daemon(daemon); }

 private:
  friend class ThreadControl;
  explicit Thread(std::shared_ptr<ThreadControl> control) noexcept;

  std::shared_ptr<ThreadControl> control_;
};

/// The calling thread. Threads that tutti did not start are given a name "Dummy-N" at first sight.
Thread current_thread();
/// The thread that main() runs in; in a forked child, the one that forked.
Thread main_thread();
/// All living threads: the main thread first, then in the order of their start. Includes daemon and
/// foreign ones; threads not started and ended ones are not in it.
std::vector<Thread> enumerate();
/// enumerate().size().
std::size_t active_count();
/// A number that no other living thread of this process has. Never 0.
std::uint64_t get_ident();
/// The kernel's id of the calling thread.
std::uint32_t get_native_id();
/// Bytes of stack for threads started from now on; 0 is the system's default. Returns what was in
/// force before. Throws ValueError below 32 KiB.
std::size_t stack_size();
std::size_t stack_size(std::size_t bytes);

// Spellings of Python 2.
inline Thread currentThread() {
  return current_thread();
}
inline std::size_t activeCount() {
  return active_count();
}

/// The longest time-out there is, in seconds. Longer ones are the same as no limit.
inline constexpr double TIMEOUT_MAX = 9223372036.0;

}  // namespace tutti::inline TUTTI_ABI::threading
