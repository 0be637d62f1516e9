// Every exception that tutti throws, under Python's names.
//
// Each message says what happened, to which object (its name or address) and in which thread, and
// where it helps, what to do. Catch `tutti::Error` for all of them; `thread::SystemExit` alone
// stands outside, because it ends a thread and is not an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI {

/// Base of all errors of tutti. Python counterpart: Exception.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An operation that the state of its object forbids: releasing a lock that is not held, starting a
/// thread twice. Python counterpart: RuntimeError.
class RuntimeError : public Error {
 public:
  using Error::Error;
};

/// An argument outside its domain: a negative time-out, NaN, a count below zero. Python:
/// ValueError.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// A position that is not in the list. Python: IndexError.
class IndexError : public Error {
 public:
  using Error::Error;
};

/// An attribute of a `threading::local` that this thread has not set. Python: AttributeError.
class AttributeError : public Error {
 public:
  using Error::Error;
};

/// An attribute of a `threading::local` read as another type than it was set with. Python:
/// TypeError.
class TypeError : public Error {
 public:
  using Error::Error;
};

/// A wait for a result that took longer than its time-out. Python: TimeoutError.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// The system has refused something: a descriptor, memory, a permission. Python: OSError.
class OSError : public Error {
 public:
  /// `code` is the errno value.
  explicit OSError(const std::string& what, int code = 0) : Error(what), code_(code) {}
  /// Which of the system's errors it was, as in <cerrno>; 0 if it came from elsewhere.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// A write to a pipe or socket whose other end is closed everywhere. Python: BrokenPipeError.
class BrokenPipeError : public OSError {
 public:
  using OSError::OSError;
};

/// Something is to be made under a name that is taken. Python: FileExistsError.
class FileExistsError : public OSError {
 public:
  using OSError::OSError;
};

/// There is nothing under that name. Python: FileNotFoundError.
class FileNotFoundError : public OSError {
 public:
  using OSError::OSError;
};

/// Nothing is left to be read, and nothing will come: the other end is closed everywhere. Python:
/// EOFError.
class EOFError : public Error {
 public:
  using Error::Error;
};

/// Ctrl-C, or `thread::interrupt_main()`: thrown in the main thread by its current or next blocking
/// call. Python: KeyboardInterrupt.
class KeyboardInterrupt : public Error {
 public:
  using Error::Error;
};

namespace runtime {
class DeadlockStory;
}

/// A wait that can never end, because it closes a ring of threads that wait for each other, or
/// because no thread is left that could end it: thrown in one of them, the last to begin to wait.
/// The message names each thread of the ring, what it holds and what it waits for, for how long and
/// where. No Python counterpart.
class DeadlockError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
  explicit DeadlockError(std::shared_ptr<runtime::DeadlockStory> story);
  /// The lines of the source are looked up when this is called first.
  const char* what() const noexcept override;

 private:
  std::shared_ptr<runtime::DeadlockStory> story_;
};

/// The lock's owner is gone and will never release it: its thread has ended, or it vanished in a
/// fork. No Python counterpart.
class OwnerDiedError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

}  // namespace tutti::inline TUTTI_ABI

namespace tutti::inline TUTTI_ABI::threading {

/// A wait at a `Barrier` that was aborted, reset or timed out. Python:
/// threading.BrokenBarrierError.
class BrokenBarrierError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

/// Python's threading.ThreadError, an old name of RuntimeError.
using ThreadError = RuntimeError;

}  // namespace tutti::inline TUTTI_ABI::threading

namespace tutti::inline TUTTI_ABI::queue {

/// A get that found nothing, at once or in its time. Python: queue.Empty.
class Empty : public Error {
 public:
  using Error::Error;
};

/// A put that found no room, at once or in its time. Python: queue.Full.
class Full : public Error {
 public:
  using Error::Error;
};

/// A put into a queue that was shut down, or a get from one that is empty besides. Python:
/// queue.ShutDown.
class ShutDown : public Error {
 public:
  using Error::Error;
};

}  // namespace tutti::inline TUTTI_ABI::queue

namespace tutti::inline TUTTI_ABI::futures {

/// The result of a future that was cancelled. Python: concurrent.futures.CancelledError.
class CancelledError : public Error {
 public:
  using Error::Error;
};

/// A future that is set when it is done already, or was not the caller's to set. Python:
/// concurrent.futures.InvalidStateError.
class InvalidStateError : public Error {
 public:
  using Error::Error;
};

/// An executor that can run nothing any more. Python: concurrent.futures.BrokenExecutor.
class BrokenExecutor : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

/// A pool whose initializer has thrown. Python: concurrent.futures.thread.BrokenThreadPool.
class BrokenThreadPool : public BrokenExecutor {
 public:
  using BrokenExecutor::BrokenExecutor;
};

/// A pool of processes that has lost one of them, or whose initializer fails again and again.
/// Python: concurrent.futures.process.BrokenProcessPool.
class BrokenProcessPool : public BrokenExecutor {
 public:
  using BrokenExecutor::BrokenExecutor;
};

}  // namespace tutti::inline TUTTI_ABI::futures

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// Base of errors of this module alone. Python: multiprocessing.ProcessError.
class ProcessError : public Error {
 public:
  using Error::Error;
};

/// A message that is longer than the buffer meant for it. Python: multiprocessing.BufferTooShort.
class BufferTooShort : public ProcessError {
 public:
  BufferTooShort(const std::string& what, std::vector<std::byte> message)
      : ProcessError(what),
        message_(std::make_shared<const std::vector<std::byte>>(std::move(message))) {}
  /// The whole message, which is no longer in the connection.
  const std::vector<std::byte>& message() const noexcept { return *message_; }

 private:
  std::shared_ptr<const std::vector<std::byte>> message_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// The arguments or the result of a pool's task could not be packed, or unpacked again, because a
/// function of the program's own that does so has thrown. Python:
/// multiprocessing.pool.MaybeEncodingError.
class MaybeEncodingError : public Error {
 public:
  using Error::Error;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing

namespace tutti::inline TUTTI_ABI::thread {

/// Thrown by exit() to end a thread. Not a std::exception, so that handlers for errors let it pass.
/// Python: SystemExit.
struct SystemExit {
  /// What a process ends with, if it leaves the target of one; threads have no such code.
  int code = 0;
};

}  // namespace tutti::inline TUTTI_ABI::thread
