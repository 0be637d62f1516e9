// A stack to run on, and the switch from one to another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform::exploring {

/// Memory for a stack with a guard page below, which the kernel fills in as it is used.
class Stack {
 public:
  /// Aborts when there is no memory.
  explicit Stack(std::size_t size);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  char* bottom() const noexcept { return memory_ + guard_; }
  std::size_t size() const noexcept { return size_; }

  /// What ran on it did not end.
  bool is_abandoned = false;

 private:
  std::size_t guard_;
  std::size_t size_;
  char* memory_;
};

/// While it lives, memory that is allocated does not count as leaked: an execution that is given up
/// leaves what it has.
class AllocationsMayStay {
 public:
  AllocationsMayStay() noexcept;
  ~AllocationsMayStay();
  AllocationsMayStay(const AllocationsMayStay&) = delete;
  AllocationsMayStay& operator=(const AllocationsMayStay&) = delete;
};

/// One thread of control: the kernel thread's own, or a coroutine on a Stack.
///
/// A switch saves what the calling convention has a function keep, and what the C++ runtime and the
/// C library keep for each thread: exceptions in flight and errno.
class Context {
 public:
  /// The calling thread's own.
  Context() noexcept = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Makes it one that will call entry(argument), which never returns, on `stack`.
  void prepare(Stack& stack, void (*entry)(void*), void* argument) noexcept;

  /// Goes on in `next`; returns when somebody switches back.
  void switch_to(Context& next) noexcept;

  /// What an AddressSanitizer has to be told in a coroutine's first moment.
  void arrived() noexcept;

 private:
  void* stack_pointer_ = nullptr;
  struct {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  } exceptions_;
  int errno_ = 0;
  // For AddressSanitizer: the kernel thread's own context, of which it tells the place when that is
  // left for the first time; where this context's stack lies, and what it keeps of it.
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  void* fake_stack_ = nullptr;
  static Context* own_thread_;
};

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
