// The thread_local variables of the program, for threads that share one kernel thread.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform::exploring {

/// One explored thread's thread_local variables: their values while it is not running, and the
/// destructors that they want called at its end.
///
/// The program's variables lie in one block of the kernel thread (and in one for each of its own
/// shared libraries). A switch copies the block out and the next thread's in. Blocks of the C and
/// C++ libraries stay where they are.
class ThreadLocals {
 public:
  /// As they are in a thread that begins.
  void renew();
  void copy_out() noexcept;
  void copy_in() const noexcept;

  void at_end(void (*destructor)(void*), void* object) {
    destructors_.push_back({destructor, object});
  }
  /// Calls the destructors, the last first, also those that come up meanwhile.
  void destroy();

 private:
  struct Destructor {
    void (*call)(void*);
    void* object;
  };
  std::unique_ptr<char[]> values_;
  std::size_t size_ = 0;
  std::vector<Destructor> destructors_;
};

/// Looks where the thread_local variables of the calling kernel thread lie.
void find_thread_locals();

/// Whose destructors `thread_local` registers from now on; null for the kernel thread itself.
void set_running_locals(ThreadLocals* locals) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
