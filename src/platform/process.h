// Processes, as the kernel has them: made by a fork, held by a descriptor (a pidfd), reaped once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ios>
#include <span>

#include "platform/descriptor.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::platform {

// --- making --------------------------------------------------------------------------------------

struct Forked {
  /// 0, or the errno value that says why there is no child.
  int error;
  /// The child's number; 0 in the child.
  std::uint32_t process;
};
Forked fork_process() noexcept;

struct Opened {
  int error;
  Descriptor descriptor;
};
/// A descriptor by which to wait for the process, signal it and, if it is a child, reap it. It can
/// be read from (by poll's account) once the process has ended. ESRCH if there is none.
Opened open_process(std::uint32_t process) noexcept;

/// A file that has nothing in it. By poll's account it can always be read from, as the descriptor
/// of a process that has ended.
Opened open_nothing() noexcept;

// --- ending --------------------------------------------------------------------------------------

/// What is found out about a child that may have ended.
struct Reaped {
  bool has_ended;
  /// False if somebody else has asked for the exit code before, so that nobody can any more.
  bool is_code_known;
  /// Minus the number of the signal, for a child that was killed by one.
  int code;
};
/// Asks the kernel for the exit code of the child, once it has ended; then the child is gone.
Reaped reap(const Descriptor& process) noexcept;

/// The same by force, for a child that nobody holds.
void kill_and_reap(std::uint32_t child) noexcept;

/// 0, or an errno value; ESRCH when it has ended.
int send_signal(const Descriptor& process, int signal) noexcept;
/// "SIGTERM"; null for a number that has no name.
const char* signal_name(int signal) noexcept;

inline constexpr int interrupt_signal = 2;
inline constexpr int kill_signal = 9;
inline constexpr int terminate_signal = 15;

/// Ends the process at once: nothing is flushed, and nobody's destructor runs.
[[noreturn]] void end_process(int code) noexcept;

// --- children that die with their parent ---------------------------------------------------------

/// A pipe that carries nothing. The kernel closes the end of a process that has died, however it
/// did.
struct LifeLine {
  int error = 0;
  /// Kept open by the parent, and by nobody else.
  Descriptor parents_end;
  Descriptor childs_end;
};
LifeLine make_life_line() noexcept;

/// Has the kernel kill the calling process as soon as the last parent's end of the line is closed,
/// or now, if it is. `childs_end` is a description of the caller's own, and stays open. Returns 0
/// or an errno value.
int die_with_parent(const Descriptor& childs_end) noexcept;

// --- what a process knows ------------------------------------------------------------------------

std::uint32_t parent_of_process() noexcept;
/// True if the process lives and has one thread.
bool has_one_thread(std::uint32_t process) noexcept;
/// Number of cores of the machine that are in use, whoever may use them; at least 1.
int installed_cores() noexcept;
/// Fills `bytes` with what nobody can guess.
void fill_with_random(std::span<std::byte> bytes) noexcept;

/// Whether SIGINT is ignored, or does what it does by default.
void ignore_interrupts() noexcept;
void heed_interrupts() noexcept;

/// Writes out what the C library's standard streams hold.
void flush_c_streams() noexcept;
/// True if the stream, one of C++'s standard ones, holds nothing, since it passes all on to those
/// of the C library that flush_c_streams() writes out; false if that is not known.
template <typename Char>
bool is_unbuffered(const std::basic_ios<Char>& stream) noexcept;

/// In a fork's child: what the C library's standard streams still had to write or to give is the
/// parent's.
void leave_standard_streams_to_parent() noexcept;
/// Has standard input read what `file` holds from now on. In a fork's child, too.
void read_standard_input_from(Descriptor file) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
