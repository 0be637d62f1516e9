// Whether a thread lives, as the kernel tells it.
#pragma once

#include <pthread.h>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::platform {

/// A sign in shared memory that one thread holds for as long as it lives. However the thread ends,
/// also with its whole process by SIGKILL or by becoming another program, the kernel marks it: it
/// is a robust mutex of pthread, for which nobody ever waits. All-zero = never held.
///
/// renew() → begin() → end(), or death instead of end(). Where there is one process only, nobody
/// dies unseen, and the sign always says `held`.
class Life {
 public:
  enum class State { unheld, held, died };

  /// Makes it as new, whatever has become of its last thread.
  void renew() noexcept;
  /// By the thread itself, as end() is.
  void begin() noexcept;
  void end() noexcept;

  /// A load, and no question to the kernel. Callable by any process that maps the memory.
  State state() const noexcept;

 private:
  pthread_mutex_t mutex_;
};

}  // namespace tutti::inline TUTTI_ABI::platform
