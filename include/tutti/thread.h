// Python 2's thread module (_thread in Python 3): the low-level way to start threads.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "tutti/errors.h"
#include "tutti/threading/local.h"
#include "tutti/threading/lock.h"
#include "tutti/threading/target.h"
#include "tutti/threading/thread.h"

namespace tutti::inline TUTTI_ABI::thread {

using error = RuntimeError;
using LockType = threading::Lock;
using _local = threading::local;

/// Starts `target` and returns its ident. Throws RuntimeError when the system has no room for it.
std::uint64_t start_target(threading::Target target);

/// Starts a thread that calls `function(args...)`, with copies of the arguments; returns its ident.
/// Nobody can join it, and it ends with main at the latest. Throws RuntimeError when the system has
/// no room for another thread. Python counterpart: thread.start_new_thread.
template <typename F, typename... Args>
requires std::invocable<std::decay_t<F>, std::decay_t<Args>...> std::uint64_t start_new_thread(
    F&& function, Args&&... args) {
  return start_target(threading::Target(std::forward<F>(function), std::forward<Args>(args)...));
}
template <typename F, typename... Args>
std::uint64_t start_new(F&& function, Args&&... args) {
  return start_new_thread(std::forward<F>(function), std::forward<Args>(args)...);
}

/// Ends the calling thread: throws SystemExit, which destructors see and handlers for
/// std::exception do not. In the main thread it is an exception like any other.
[[noreturn]] void exit();
[[noreturn]] inline void exit_thread() {
  thread::exit();
}

/// A new lock, free.
inline LockType allocate_lock() {
  return LockType();
}
inline LockType allocate() {
  return LockType();
}

/// Makes the main thread's current or, if there is none, next blocking call throw
/// KeyboardInterrupt. May be called from any thread. Python counterpart: thread.interrupt_main.
void interrupt_main() noexcept;

using threading::get_ident;
using threading::get_native_id;
using threading::stack_size;
using threading::TIMEOUT_MAX;

/// The number of living threads started by this module.
std::size_t _count() noexcept;

}  // namespace tutti::inline TUTTI_ABI::thread
