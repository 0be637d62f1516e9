// Lines of threads that wait at a queue, and how one of them waits.
#pragma once

#include <cstdint>
#include <exception>

#include "runtime/chain.h"
#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::queue {

enum class Outcome { waits, served, refused };

/// A thread that waits; lies on its stack. Once its outcome is no longer `waits` it is out of its
/// line, and a wake is sure to come: it does not go away before.
struct Waiting {
  Waiting(runtime::Self& waiting, runtime::WaitKind kind, const void* queue,
          void* its_item) noexcept
      : self(waiting), reason(kind, queue), item(its_item) {
    runtime::prepare_to_wait(waiting);
  }

  runtime::Self& self;
  runtime::Reason reason;
  /// What a putter brings, or where a getter wants it.
  void* item;
  Outcome outcome = Outcome::waits;
  /// What kept a putter's item from being taken.
  std::exception_ptr failure;
  Waiting* next = nullptr;
  Waiting* previous = nullptr;
};

/// Threads that wait for the same, the longest waiting first.
class Line : public runtime::Chain<Waiting> {
 public:
  Waiting& take_first(Outcome outcome) noexcept {
    Waiting& taken = *first();
    remove(taken);
    taken.outcome = outcome;
    return taken;
  }
};

/// Those to be woken once the guard is released, in their order.
class ToWake {
 public:
  ToWake() noexcept = default;
  ~ToWake() {
    while (first_ != nullptr) {
      // Once woken, its memory belongs to its thread again.
      Waiting& waiting = *first_;
      first_ = waiting.next;
      runtime::wake(*waiting.self.slot);
    }
  }
  ToWake(const ToWake&) = delete;
  ToWake& operator=(const ToWake&) = delete;

  void add(Waiting& waiting) noexcept {
    waiting.next = nullptr;
    *end_ = &waiting;
    end_ = &waiting.next;
  }
  void add_all(Line& line, Outcome outcome) noexcept {
    while (!line.is_empty()) add(line.take_first(outcome));
  }

 private:
  Waiting* first_ = nullptr;
  Waiting** end_ = &first_;
};

/// Waits in a line that the caller has joined, and returns served or refused; or `waits` at the
/// deadline, out of the line. No guard is held. `leave()` takes the guard and, if the thread still
/// waits, leaves the line. Throws what kept a putter's item out, and KeyboardInterrupt.
template <typename Leave>
Outcome wait_in_line(Waiting& waiting, std::int64_t deadline, runtime::Spinning spinning,
                     Leave leave) {
  const runtime::Ended ended = runtime::wait_or_leave(
      waiting.self, waiting.reason, deadline, [&](runtime::Ended) { return leave(); },
      runtime::Interrupts::heeded, spinning);
  runtime::stop_or_throw(waiting.self, ended);
  if (waiting.failure != nullptr) std::rethrow_exception(waiting.failure);
  return waiting.outcome;
}

}  // namespace tutti::inline TUTTI_ABI::queue
