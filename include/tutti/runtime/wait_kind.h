// What a blocked thread waits for: the kind in its wait record.
#pragma once

#include <cstdint>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

enum class WaitKind : std::uint32_t {
  none,
  lock,
  rlock,
  /// Of pthread, as std::mutex is: in programs that run under `tutti run`.
  mutex,
  rwlock,
  condition,
  semaphore,
  event,
  barrier,
  join,
  sleep,
  io,
  queue_empty,
  queue_full,
  queue_join,
  future,
  /// One of several futures.
  futures,
  /// A pool's worker without work.
  work,
  /// The end of a process.
  process,
};

/// "Lock", "Condition", "sleep"…: the name of the kind in messages and pictures.
const char* to_string(WaitKind kind) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
