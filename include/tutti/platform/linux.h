// The Linux floor: atomics, park and unpark, clock, threads, shared memory, exit and fork hooks.
//
// The only place (with src/platform/) that knows the operating system. Each function is total:
// EINTR is handled here, limits come back as an errno value, nothing throws.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

// --- atomics -------------------------------------------------------------------------------------

template <typename T>
using atomic = std::atomic<T>;

inline constexpr std::memory_order relaxed = std::memory_order_relaxed;
inline constexpr std::memory_order acquire = std::memory_order_acquire;
inline constexpr std::memory_order release = std::memory_order_release;
inline constexpr std::memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr std::memory_order seq_cst = std::memory_order_seq_cst;

/// Tells the core that the caller polls a word, so that it saves power and pipeline slots.
inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

// --- clock ---------------------------------------------------------------------------------------

/// Nanoseconds of the monotonic clock.
std::int64_t now() noexcept;

/// The deadline that never comes.
inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// --- park and unpark -----------------------------------------------------------------------------

/// Whose threads may unpark a word: those of this process only (cheaper), or of every process that
/// maps it. Park and unpark of one word must agree.
enum class Reach { process, machine };

/// Sleeps while `word` holds `expected`, until unparked or until `deadline` (monotonic
/// nanoseconds). Returns false when the deadline passed. May return early without a cause: callers
/// look again.
bool park(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline,
          Reach reach) noexcept;

/// Wakes up to `count` threads parked on `word`.
void unpark(const atomic<std::uint32_t>& word, int count, Reach reach) noexcept;

/// Gives the core to another runnable thread, if there is one.
void yield() noexcept;

// --- the calling thread --------------------------------------------------------------------------

/// What the floor keeps for the runtime in each thread. Trivial, so that reading it costs one load.
struct Current {
  /// The lock word that says "owned by me, nobody waits"; 0 for threads that must take the slow
  /// path first (unregistered ones and daemons, which pass a gate at every call).
  std::uint32_t pass;
  /// The runtime's record of this thread, or null while it is unregistered.
  void* self;
};

extern constinit thread_local Current current_thread_words
#if defined(__GNUC__)
    __attribute__((tls_model("initial-exec")))
#endif
    ;

inline Current& current() noexcept {
  return current_thread_words;
}

// --- threads and processes -----------------------------------------------------------------------

/// A started thread of the operating system, to be joined or detached exactly once.
struct Thread {
  std::uintptr_t handle = 0;
};

struct Started {
  /// 0, or the errno value that says why no thread was made.
  int error;
  Thread thread;
};

/// Starts a thread that calls `entry(argument)`, which returns null. `stack_size` in bytes, 0 for
/// the system's default.
Started start(void* (*entry)(void*), void* argument, std::size_t stack_size) noexcept;
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

/// Zeroed pages that children inherit as shared, or null when there is no memory.
void* map_shared(std::size_t size, const char* name) noexcept;

/// Calls `function(argument)` when the calling thread ends, after its thread_local objects are
/// destroyed; not for a thread that is running when the process ends. `function` is the same in all
/// calls; the last `argument` of a thread, never null, is in force.
void at_thread_exit(void (*function)(void*), void* argument) noexcept;

/// Calls `function` when main returns or exit() is called, before static objects are destroyed.
/// May be called more than once; the function must allow that.
void before_exit(void (*function)()) noexcept;

struct ForkHandlers {
  void (*prepare)();
  void (*parent)();
  void (*child)();
};
void around_fork(ForkHandlers handlers) noexcept;

/// Calls `handler` (async-signal-safe code only) on Ctrl-C. Returns 0 or an errno value.
int on_sigint(void (*handler)()) noexcept;
/// Ends the process as Ctrl-C does by default. Async-signal-safe.
void die_of_sigint() noexcept;

/// Runs `work`; lets a cancellation of the thread (pthread_cancel, pthread_exit) pass through after
/// calling `on_cancel`. Any other exception goes to `on_exception` from inside its handler.
void run_guarded(void (*work)(void*), void (*on_exception)(void*), void (*on_cancel)(void*),
                 void* argument);

/// Writes to standard error by one call, so that the lines of several threads don't mix.
void print_error(const char* text) noexcept;

/// The readable form of a compiler's name for a type: "std::runtime_error".
std::string readable_name(const char* mangled);
/// The readable type of the exception being handled.
std::string current_exception_type();

/// Parks the calling thread until the process ends.
[[noreturn]] void park_for_good() noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
