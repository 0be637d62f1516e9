// How an execution fails: the first failure is kept, the rest of the execution is of no interest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "platform/explore/order.h"
#include "tutti/platform/failure_kind.h"

namespace tutti::inline TUTTI_ABI::platform::exploring {

struct ExecutionFailure {
  std::optional<FailureKind> kind;
  std::string message;
  /// Of a race: what is accessed, who was there before, and in which step.
  const void* object = nullptr;
  Order::Race race;
};

/// The failure of the execution under way; no kind if there is none yet.
ExecutionFailure& failure_so_far() noexcept;

/// Keeps the failure, if it is the first, and lets the execution go on.
void note_failure(FailureKind kind, std::string message);
/// Keeps the failure, and ends the execution at the next scheduling point.
void fail_soon(FailureKind kind, std::string message);
/// Keeps the failure and ends the execution.
[[noreturn]] void fail(FailureKind kind, std::string message);
[[noreturn]] void fail_by_race(const void* object, const Order::Race& race);

/// Has assert() and std::terminate() fail the execution, for as long as it lives.
class Catching {
 public:
  Catching();
  ~Catching();
  Catching(const Catching&) = delete;
  Catching& operator=(const Catching&) = delete;

 private:
  void (*terminate_before_)();
};

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
