// The threads of the program, as the registry knows them.
#pragma once

#include <pthread.h>

#include <cstdint>

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::preload {

/// What is kept for the calling thread. Trivial, so that it can be used at any time of the thread's
/// life, and in a signal's handler.
struct Thread {
  enum class Phase : std::uint8_t { unknown, registered, ended };

  runtime::Slot* slot;
  runtime::ThreadId id;
  Phase phase;
  /// In a wait, or in this library's own work. Whoever waits meanwhile, such as a signal's handler,
  /// is not watched.
  bool is_occupied;
  /// How many rounds of destructors of thread-specific values this thread has seen.
  std::uint8_t rounds;
};

/// The calling thread.
Thread& this_thread() noexcept;

/// Gives the calling thread a slot if it has none. False if there is none for it: it has ended, or
/// the registry is full.
bool register_thread(Thread& thread) noexcept;

/// The name of the calling thread has changed, or may have.
void refresh_name(Thread& thread) noexcept;

/// The slot of the living thread of this process with this kernel number, or with this handle; null
/// if there is none.
runtime::Slot* find_thread(pid_t number) noexcept;
runtime::Slot* find_thread(pthread_t handle) noexcept;

/// True if this process has a thread with this kernel number.
bool exists(pid_t number) noexcept;

/// True for the first who asks it about the wait with this stamp of the slot's thread.
bool is_told_first(const runtime::Slot& slot, std::uint32_t stamp) noexcept;
/// True if somebody has asked that.
bool is_told(const runtime::Slot& slot, std::uint32_t stamp) noexcept;

}  // namespace tutti::inline TUTTI_ABI::preload
