// The timeline: what each thread did and waited for, moment by moment, and who woke it.
//
// A program that is started with TUTTI_TRACE=FILE in its environment, or that says so itself
// (inspect::trace_to), has each thread write events into a ring of its own; at the end all of them
// become one file (trace_writer.h). Only slow paths record anything, and while nothing is recorded
// they pay one branch.
//
// A fork's child goes on with a timeline of its own, which begins at the fork, in FILE.PID.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/self.h"

namespace tutti::inline TUTTI_ABI::runtime::trace {

extern constinit platform::hint<bool> is_recording;

inline bool is_on() noexcept {
  if constexpr (!platform::has_timeline) return false;
  return is_recording.load(platform::relaxed);
}

// --- what the slow paths say ---------------------------------------------------------------------

/// The calling thread waits for as long as this lives. Inside of another one it says nothing: the
/// outer one knows better where the wait began.
class Wait {
 public:
  Wait() noexcept = default;
  explicit Wait(WaitKind kind, const void* object, ThreadId holder = 0) noexcept {
    begin(kind, object, holder);
  }
  ~Wait() {
    if (since_ != 0) end();
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// For waits that are known to be some only after they have begun; from the second call on
  /// nothing happens.
  void begin(WaitKind kind, const void* object, ThreadId holder = 0) noexcept {
    if (is_on()) begin_now(kind, object, holder);
  }

 private:
  void begin_now(WaitKind kind, const void* object, ThreadId holder) noexcept;
  void end() noexcept;

  /// 0: says nothing, and the others have no values.
  std::int64_t since_ = 0;
  const void* object_;
  ThreadId holder_;
  WaitKind kind_;
  std::uint16_t text_;
};

/// The calling thread is off its core for as long as this lives. `reason` lives longer.
class Asleep {
 public:
  explicit Asleep(const Reason& reason) noexcept : reason_(reason) {
    if (is_on()) since_ = platform::now();
  }
  ~Asleep() {
    if (is_on()) end();
  }
  Asleep(const Asleep&) = delete;
  Asleep& operator=(const Asleep&) = delete;

 private:
  void end() noexcept;

  const Reason& reason_;
  /// 0: since before the recording.
  std::int64_t since_ = 0;
};

// The following only while is_on(). The first three before it is done, so that what it brings about
// comes later.
/// The calling thread wakes the owner of `slot`.
void wakes(const Slot& slot) noexcept;
/// The calling thread gives the owner of `slot`, which it is about to wake, what that waits for.
void grants(const Slot& slot, const Reason& reason) noexcept;
/// The calling thread has the owner of `slot`, which waits, wait for `object` from now on.
void moves(const Slot& slot, WaitKind kind, const void* object) noexcept;
/// The calling thread, which is registered, begins and ends to be blocked elsewhere.
void begins_io() noexcept;
void ends_io() noexcept;

/// The calling thread, which is registered, has come to a point that deserves a name.
void mark(std::string_view text);

// --- threads -------------------------------------------------------------------------------------

/// The calling thread has got its slot. While is_on().
void thread_begins(const Self& self) noexcept;

/// The calling thread gives its slot back while this lives, and records nothing after that.
class ThreadEnd {
 public:
  explicit ThreadEnd(const Self& self) noexcept;
  ~ThreadEnd();
  ThreadEnd(const ThreadEnd&) = delete;
  ThreadEnd& operator=(const ThreadEnd&) = delete;
};

// --- beginning and end ---------------------------------------------------------------------------

/// Begins to record, for the file `path`; `%p` in it stands for the number of the process. Throws
/// RuntimeError if the file can't be written, or if a timeline is being recorded already.
void start(const std::string& path);
/// The same as TUTTI_TRACE says, if it says anything and is meant for this program; a path that
/// can't be written to is reported to stderr.
void start_by_environment() noexcept;

/// Ends the recording and writes the file; false if there is none. Throws RuntimeError if the file
/// could not be written.
bool stop();
/// The same at the program's end: reports to stderr what goes wrong.
void stop_at_end() noexcept;

// Around a fork, so that the child finds everything whole.
void hold_for_fork() noexcept;
void release_after_fork() noexcept;
/// In the child, after release_after_fork(); `self` is null if the forking thread is not
/// registered.
void restart_in_child(const Self* self) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime::trace
