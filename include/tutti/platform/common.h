// What all floors have in common: the types of the interface, and what needs no system.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

using memory_order = std::memory_order;
inline constexpr std::memory_order relaxed = std::memory_order_relaxed;
inline constexpr std::memory_order acquire = std::memory_order_acquire;
inline constexpr std::memory_order release = std::memory_order_release;
inline constexpr std::memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr std::memory_order seq_cst = std::memory_order_seq_cst;

/// The deadline that never comes.
inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// Whose threads may unpark a word: those of this process only (cheaper), or of every process that
/// maps it. Park and unpark of one word must agree.
enum class Reach { process, machine };

/// How an operation touches its object, for those who ask whether two operations could change
/// places unnoticed.
enum class Access : std::uint8_t {
  /// Not at all.
  none,
  read,
  write,
  /// Depends on every other operation.
  everything,
};

/// Whether an operation on `object` by the calling thread would go on at once, where it makes no
/// difference in which order threads began to wait.
using Gate = bool (*)(const void* object) noexcept;

/// When a floor that runs a program again and again has its state made new.
enum class Restart : std::uint8_t {
  /// Before each run.
  each,
  /// Before one whose predecessor was given up in the middle, when threads have vanished.
  after_loss,
};

/// What the floor keeps for the runtime in each thread. Trivial, so that reading it costs one load.
struct Current {
  /// The lock word that says "owned by me, nobody waits"; 0 for threads that must take the slow
  /// path first (unregistered ones and daemons, which pass a gate at every call).
  std::uint32_t pass;
  /// The runtime's record of this thread, or null while it is unregistered.
  void* self;
};

/// A started thread of the operating system, to be joined or detached exactly once.
struct Thread {
  std::uintptr_t handle = 0;
};

struct Started {
  /// 0, or the errno value that says why no thread was made.
  int error;
  Thread thread;
};

struct SharedPages {
  void* pages = nullptr;
  /// By which programs that are executed get them, too; closed on exec, -1 if there is none.
  int descriptor = -1;
};

struct ForkHandlers {
  void (*prepare)();
  void (*parent)();
  void (*child)();
};

/// Runs `work`; lets a cancellation of the thread (pthread_cancel, pthread_exit) pass through after
/// calling `on_cancel`. Any other exception goes to `on_exception` from inside its handler.
void run_guarded(void (*work)(void*), void (*on_exception)(void*), void (*on_cancel)(void*),
                 void* argument);

/// The name of the program's file, without its folder.
std::string program_name();

/// Writes to standard error by one call, so that the lines of several threads don't mix.
void print_error(const char* text) noexcept;

/// The same for text that need not end with a zero, past the C library's buffers.
/// Async-signal-safe.
void write_error(std::string_view text) noexcept;

/// The readable form of a compiler's name for a type: "std::runtime_error".
std::string readable_name(const char* mangled);
/// The readable type of the exception being handled.
std::string current_exception_type();
/// The same with its what(), if it has one: "std::out_of_range: seventh of six".
std::string describe_current_exception();

}  // namespace tutti::inline TUTTI_ABI::platform
