// The calling thread, as the runtime knows it.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// What the runtime keeps for each registered thread; used by that thread alone.
struct Self {
  Slot* slot = nullptr;
  ThreadId id = 0;
  bool is_main = false;
  bool is_daemon = false;
  /// How many times it has said that it blocks in I/O or a foreign library.
  int blocking_elsewhere = 0;
  /// The ids that this thread had in the processes it was forked from: locks that it holds from
  /// then still carry them.
  std::vector<ThreadId> earlier_ids;
  /// Why a wait of this thread was ended that would never have ended by itself.
  std::exception_ptr failure;
  /// It ends the program, where nobody would catch that.
  bool must_not_fail = false;
  /// What the threading layer keeps for this thread.
  std::shared_ptr<void> thread;

  /// True if `owner` is this thread, now or before a fork.
  bool is(ThreadId owner) const noexcept;
};

/// The calling thread, registered if it was not. A daemon thread does not come back from here once
/// the program is ending. Throws RuntimeError when no slot is left.
Self& self();

/// True if `self` must not go on: a daemon thread, when the program is ending. Whoever has waited
/// asks; then gives back what the wait has brought, and calls stop_for_good().
bool must_stop(const Self& self) noexcept;
/// Parks the calling thread until the process ends; who joins it may go on, for it does nothing
/// more.
[[noreturn]] void stop_for_good(Self& self) noexcept;
/// Sets what stop_for_good() calls first.
void before_stopping(void (*farewell)(Self&)) noexcept;
/// Sets what is called in each thread that ends, after its thread_local objects are destroyed.
void before_leaving(void (*leaves)(Self&)) noexcept;
/// For the last thread of a process that ends without a destructor's being called: gives its slot
/// back, which those who look for the dead need not find then. It must not use the library any
/// more.
void leave_for_good() noexcept;
/// For the thread that ends the program, whatever it was: from now on it must not stop.
void exempt_from_stopping() noexcept;

/// The calling thread, or null if it is not registered. No gate.
inline Self* registered_self() noexcept {
  return static_cast<Self*>(platform::current().self);
}

/// What a new thread will be, made by its starter: claims a slot in phase `starting`. Throws
/// RuntimeError when none is left.
std::unique_ptr<Self> prepare_thread(bool is_daemon, std::string_view name);
/// For one whose thread could not be made.
void abandon_thread(std::unique_ptr<Self> self) noexcept;
/// Makes the calling thread, just started, the prepared one; it owns `self` from now on.
void enter(std::unique_ptr<Self> self) noexcept;

/// Sets what is called, in the thread itself, for each thread that registers without enter().
void at_registration(void (*welcome)(Self&)) noexcept;

/// True if the thread lived in a process that this one was forked from, and so has no part in it.
bool vanished_in_fork(ThreadId id) noexcept;

/// The slot of the main thread; null if that has not used the library yet. Async-signal-safe.
Slot* main_slot() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
