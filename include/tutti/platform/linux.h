// The Linux floor: atomics, park and unpark, clock, threads, shared memory, exit and fork hooks.
//
// The only place (with src/platform/) that knows the operating system. Each function is total:
// EINTR is handled here, limits come back as an errno value, nothing throws.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tutti/platform/common.h"

namespace tutti::inline TUTTI_ABI::platform {

// --- atomics -------------------------------------------------------------------------------------

template <typename T>
using atomic = std::atomic<T>;

/// Of the program that uses the library, not the library's own.
template <typename T>
using user_atomic = std::atomic<T>;

/// For words that only advise or count: whatever they say, the result is right.
template <typename T>
using hint = std::atomic<T>;

inline void fence(std::memory_order order) noexcept {
  std::atomic_thread_fence(order);
}

/// As fence(seq_cst), for a thread whose last access to an atomic object was a read-modify-write:
/// on x86 that has been one already, for all that came before it.
inline void fence_after_exchange() noexcept {
#if defined(__x86_64__)
  std::atomic_signal_fence(std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

/// Follows the accesses to a plain object of the program; on this floor nobody does.
class Watch {
 public:
  constexpr void before_read(const void* /*object*/) const noexcept {}
  constexpr void before_write(const void* /*object*/) noexcept {}
  template <typename T>
  constexpr void tell(const void* /*object*/, const T& /*value*/, Access) const noexcept {}
};

/// Whether a thread that polls a word makes progress possible by it.
inline constexpr bool can_spin = true;

/// Whether there are other processes, with which this one shares memory, and which may be killed at
/// any moment.
inline constexpr bool has_processes = true;

/// A build without what is always on to diagnose programs; only to measure what that costs.
#ifdef TUTTI_UNWATCHED
inline constexpr bool is_watched = false;
#else
inline constexpr bool is_watched = true;
#endif
/// Threads can block each other for ever without anybody noticing, unless somebody looks for it.
inline constexpr bool needs_detector = is_watched;

/// Tells the core that the caller polls a word, so that it saves power and pipeline slots.
inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// A number for the cache line that the object begins in; on a floor that runs a program again, the
/// same in each run.
inline std::uintptr_t cache_line_of(const void* object) noexcept {
  return reinterpret_cast<std::uintptr_t>(object) >> 6;
}

// --- clock ---------------------------------------------------------------------------------------

/// Nanoseconds of the monotonic clock.
std::int64_t now() noexcept;

/// Whether time passes by itself, so that a timeline of the threads tells something.
inline constexpr bool has_timeline = is_watched;

// --- park and unpark -----------------------------------------------------------------------------

/// Sleeps while `word` holds `expected`, until unparked or until `deadline` (monotonic
/// nanoseconds). Returns false when the deadline passed. May return early without a cause: callers
/// look again.
bool park(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline,
          Reach reach) noexcept;

/// Wakes up to `count` threads parked on `word`.
void unpark(const atomic<std::uint32_t>& word, int count, Reach reach) noexcept;

/// Gives the core to another runnable thread, if there is one.
void yield() noexcept;

// --- operations ----------------------------------------------------------------------------------

/// Says that the calling thread operates on a shared object, for as long as this lives. A floor
/// that explores interleavings runs other threads before and inside; this one has the kernel for
/// that.
class Operation {
 public:
  constexpr ~Operation() {}
  constexpr Operation(const char* /*name*/, const void* /*object*/, Access = Access::write,
                      const void* /*also*/ = nullptr) noexcept {}
  constexpr Operation(const char* /*name*/, const void* /*object*/, Gate) noexcept {}
  /// It changes nothing, and this is what it has found: who does it again and again is polling.
  template <typename Value>
  constexpr Value saw(Value value) const noexcept {
    return value;
  }
  /// Others may come in between here.
  constexpr void pause() const noexcept {}
  /// It has tried in vain to acquire its object. Returns false.
  constexpr bool in_vain() const noexcept { return false; }
};
/// The same for starting, ending and joining threads.
using ThreadOperation = Operation;

/// Calls `function` whenever the process is to be as new; here it never is.
inline void on_restart(void (* /*function*/)(), Restart = Restart::each) noexcept {}

// --- the calling thread --------------------------------------------------------------------------

extern constinit thread_local Current current_thread_words
#if defined(__GNUC__)
    __attribute__((tls_model("initial-exec")))
#endif
    ;

inline Current& current() noexcept {
  return current_thread_words;
}

// --- threads and processes -----------------------------------------------------------------------

/// Starts a thread that calls `entry(argument)`, which returns null. `stack_size` in bytes, 0 for
/// the system's default.
Started start(void* (*entry)(void*), void* argument, std::size_t stack_size) noexcept;
/// What the error of a start means, and what to do.
std::string describe_start_error(int error);
/// Waits until the thread has ended in full, its thread-local destructors included.
void join(Thread thread) noexcept;
/// The same without waiting: false while the thread still runs.
bool try_join(Thread thread) noexcept;
void detach(Thread thread) noexcept;

std::uint32_t process_id() noexcept;
/// The kernel's number of the calling thread.
std::uint32_t thread_id() noexcept;
bool process_is_alive(std::uint32_t process) noexcept;
/// Names the calling thread for the system's tools; cut at 15 bytes.
void name_thread(const char* name) noexcept;
/// True while the kernel has the thread asleep (in a system call, in I/O), false while it runs or
/// could run, or when it is gone.
bool is_asleep(std::uint32_t thread_id) noexcept;
/// The smallest stack size a thread can have, in bytes.
std::size_t smallest_stack() noexcept;
/// Number of threads in this process, also those that tutti does not know.
int thread_count() noexcept;
/// Number of cores that this process may use, at least 1; read once.
int cores() noexcept;

// --- memory, exit, fork, signals -----------------------------------------------------------------

/// Zeroed pages that children inherit as shared, or null when there is no memory. The system's
/// tools show them by `name`; null for pages that have neither a name nor a descriptor.
SharedPages map_shared(std::size_t size, const char* name) noexcept;
/// The same pages once more, in a program that was executed with their descriptor, which stays
/// open; null if it is not that of so many pages.
SharedPages map_shared_again(std::size_t size, int descriptor) noexcept;

/// Calls `function(argument)` when the calling thread ends, after its thread_local objects are
/// destroyed; not for a thread that is running when the process ends. `function` is the same in all
/// calls; the last `argument` of a thread, never null, is in force.
void at_thread_exit(void (*function)(void*), void* argument) noexcept;

/// Calls `function` when main returns or exit() is called, before static objects are destroyed.
/// May be called more than once; the function must allow that.
void before_exit(void (*function)()) noexcept;

void around_fork(ForkHandlers handlers) noexcept;

/// True if the program has a handler for a signal that may come from outside: one that is about
/// something else than a fault of its own.
bool handles_signals() noexcept;

/// Calls `handler` (async-signal-safe code only) on Ctrl-C. Returns 0 or an errno value.
int on_sigint(void (*handler)()) noexcept;
/// Calls `report` (async-signal-safe code only) on SIGQUIT, and the program goes on, if SIGQUIT
/// would end it by default.
void on_quit(void (*report)()) noexcept;
/// Ends the process as Ctrl-C does by default. Async-signal-safe.
void die_of_sigint() noexcept;

/// Parks the calling thread until the process ends.
[[noreturn]] void park_for_good() noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
